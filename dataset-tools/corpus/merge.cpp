#include "corpus/merge.h"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <numeric>
#include <optional>

#include "corpus/groups.h"
#include "corpus/image_io.h"
#include "duplicates/compare_labels.h"
#include "duplicates/copies.h"

namespace smearscope::corpus {
namespace {

bool is_for_judging(const Image& image) {
  return image.part == "val" || image.part == "test";
}

class Merger {
 public:
  explicit Merger(std::vector<Corpus> corpora, const MergeOptions& options) : options_(options) {
    result_.corpus.classes = corpora.front().classes;
    for (Corpus& corpus : corpora) {
      std::move(corpus.images.begin(), corpus.images.end(), std::back_inserter(images_));
      std::move(corpus.left_out.begin(), corpus.left_out.end(), std::back_inserter(result_.corpus.left_out));
    }
    left_out_.resize(images_.size());
    neighbours_.resize(images_.size());
  }

  MergeResult run() {
    pairs_ = find_copies(images_, options_.threads);
    for (const Pair& pair : pairs_) {
      neighbours_[pair.first].push_back(&pair);
      neighbours_[pair.second].push_back(&pair);
    }
    std::vector<std::size_t> order(images_.size());
    std::iota(order.begin(), order.end(), std::size_t(0));
    std::stable_partition(order.begin(), order.end(),
                          [&](std::size_t i) { return is_for_judging(images_[i]); });
    // An image is compared with those that were decided to stay before it.
    std::vector<bool> stays(images_.size());
    for (const std::size_t index : order) {
      const auto reason = reason_to_leave_out(index, stays);
      stays[index] = !reason;
      if (reason) leave_out(index, *reason);
    }
    group_fields();
    gather();
    return std::move(result_);
  }

 private:
  struct Reason {
    const Pair* pair;
    std::size_t kept;
  };

  // Of all reasons the one with the strongest likeness, then the earliest image.
  std::optional<Reason> reason_to_leave_out(std::size_t index, const std::vector<bool>& stays) const {
    std::optional<Reason> best;
    for (const Pair* pair : neighbours_[index]) {
      const std::size_t other = pair->first == index ? pair->second : pair->first;
      if (!stays[other]) continue;
      const bool leak = is_for_judging(images_[other]) && images_[index].part == "train";
      if (pair->likeness == Likeness::same_field && !leak) continue;
      const auto rank = [](const Reason& r) { return std::make_pair(r.pair->likeness, r.kept); };
      const Reason reason{pair, other};
      if (!best || rank(reason) < rank(*best)) best = reason;
    }
    return best;
  }

  void leave_out(std::size_t index, const Reason& reason) {
    left_out_[index] = true;
    Image& kept = images_[reason.kept];
    const Image& copy = images_[index];
    const bool copy_is_first = reason.pair->first == index;
    const cv::Matx23d to_kept = copy_is_first ? reason.pair->to_second : inverse(reason.pair->to_second);
    const LabelComparison labels = compare_labels(kept, copy, to_kept, result_.corpus.classes);
    const Likeness likeness = reason.pair->likeness;
    const std::string kept_name = kept.source + " " + kept.source_file;
    std::string detail = "as " + kept_name;
    if (likeness != Likeness::same_bytes) {
      char correlation[64];
      std::snprintf(correlation, sizeof correlation, " (correlation %.2f)", reason.pair->correlation);
      detail = (likeness == Likeness::same_field ? "the same field as " : "the same picture as ") +
               kept_name + correlation;
    }
    if (likeness != Likeness::same_field) {
      count(labels);
      refine(kept, copy, labels);
      detail += "; " + describe(labels);
    }
    ++(likeness == Likeness::same_bytes     ? result_.same_bytes
       : likeness == Likeness::same_picture ? result_.same_picture
                                            : result_.same_field);
    const char* rule = likeness == Likeness::same_bytes ? rules::image_repeated : rules::image_resembles;
    result_.corpus.left_out.push_back({copy.source, copy.source_file, copy.sha256, {rule, detail}});
  }

  void count(const LabelComparison& labels) {
    result_.labels_agree += labels.agree;
    result_.labels_differ += labels.differ;
    result_.labels_only_kept += labels.only_kept;
    result_.labels_only_copy += labels.only_copy;
  }

  void refine(Image& kept, const Image& copy, const LabelComparison& labels) {
    for (const LabelComparison::Finer& finer : labels.finer) {
      Annotation& annotation = kept.annotations[finer.annotation];
      kept.changes.push_back({rules::class_refined, "'" + annotation.label + "' to '" + finer.label +
                                                        "' by " + copy.source + " " + copy.source_file});
      annotation.category = finer.category;
      annotation.label = finer.label;
      // There is a cell of it after all.
      image_has(kept, finer.category);
      ++result_.classes_refined;
    }
  }

  void image_has(Image& image, int category) const {
    const auto is_above = [&](int absent) { return is_kind_of(result_.corpus.classes, category, absent); };
    image.absent.erase(std::remove_if(image.absent.begin(), image.absent.end(), is_above),
                       image.absent.end());
  }

  void group_fields() {
    std::vector<std::pair<std::size_t, std::size_t>> fields;
    for (const Pair& pair : pairs_) {
      if (!left_out_[pair.first] && !left_out_[pair.second]) fields.emplace_back(pair.first, pair.second);
    }
    const std::vector<std::size_t> first = together_with(images_, fields);
    for (std::size_t i = 0; i < images_.size(); ++i) {
      if (first[i] == i) continue;
      Image& head = images_[first[i]];
      if (head.group.empty()) {
        head.group = images_[i].group.empty() ? head.source + " " + head.source_file : images_[i].group;
        result_.grouped += images_[i].group.empty();
      }
      result_.grouped += images_[i].group.empty();
      images_[i].group = head.group;
    }
  }

  void gather() {
    for (std::size_t i = 0; i < images_.size(); ++i) {
      const bool wanted = options_.only.empty() || images_[i].source == options_.only;
      if (!left_out_[i] && wanted) result_.corpus.images.push_back(std::move(images_[i]));
    }
    if (result_.corpus.images.empty() && !options_.only.empty())
      throw Error("--only " + options_.only + ": no image is of that source, or all are copies of others");
    std::size_t id = 0;
    for (Image& image : result_.corpus.images) {
      char name[32];
      std::snprintf(name, sizeof name, "%06zu", ++id);
      image.file = name + lower_extension(image.file);
    }
  }

  const MergeOptions& options_;
  MergeResult result_;
  std::vector<Image> images_;
  std::vector<Pair> pairs_;
  std::vector<std::vector<const Pair*>> neighbours_;
  std::vector<bool> left_out_;
};

}  // namespace

MergeResult merge(std::vector<Corpus> corpora, const MergeOptions& options) {
  if (corpora.empty()) throw Error("nothing to merge: name at least one corpus");
  for (const Corpus& corpus : corpora) {
    if (corpus.classes != corpora.front().classes) {
      throw Error("the corpora have different classes; standardise them first, with one taxonomy");
    }
  }
  return Merger(std::move(corpora), options).run();
}

}  // namespace smearscope::corpus
