#include "corpus/merge.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <optional>

#include "corpus/groups.h"
#include "corpus/image_io.h"
#include "duplicates/compare_labels.h"
#include "duplicates/copies.h"

namespace smearscope::corpus {
namespace {

class Merger {
 public:
  explicit Merger(std::vector<StoredCorpus> corpora, const MergeOptions& options) : options_(options) {
    result_.corpus.classes = corpora.front().classes;
    for (StoredCorpus& corpus : corpora) {
      images_.append(std::move(corpus.images));
      result_.corpus.left_out.append(std::move(corpus.left_out));
    }
    left_out_.resize(images_.size());
  }

  MergeResult run() {
    for (const Image& image : images_) use_.push_back(use_of(image));
    pairs_ = find_copies(images_, options_.threads);
    for (std::size_t i = 0; i < pairs_.size(); ++i) {
      pairs_of_[pairs_[i].first].push_back(i);
      pairs_of_[pairs_[i].second].push_back(i);
    }
    // An image is compared with those that were decided to stay before it. Images without pairs all stay.
    std::vector<bool> stays(images_.size());
    for (const bool judging : {true, false}) {
      for (const auto& [index, pairs] : pairs_of_) {
        if ((use_[index] == Use::judging) != judging) continue;
        const auto reason = reason_to_leave_out(index, pairs, stays);
        stays[index] = !reason;
        if (reason) leave_out(index, *reason);
      }
    }
    group_fields();
    gather();
    return std::move(result_);
  }

 private:
  enum class Use : char { judging, training, none };
  struct Reason {
    const Pair* pair;
    std::size_t kept;
  };

  static Use use_of(const Image& image) {
    if (image.part == "val" || image.part == "test") return Use::judging;
    return image.part == "train" ? Use::training : Use::none;
  }

  // Of all reasons the one with the strongest likeness, then the earliest image.
  std::optional<Reason> reason_to_leave_out(std::size_t index, const std::vector<std::size_t>& pairs,
                                            const std::vector<bool>& stays) const {
    std::optional<Reason> best;
    for (const std::size_t number : pairs) {
      const Pair* pair = &pairs_[number];
      const std::size_t other = pair->first == index ? pair->second : pair->first;
      if (!stays[other]) continue;
      const bool leak = use_[other] == Use::judging && use_[index] == Use::training;
      if (pair->likeness == Likeness::same_field && !leak) continue;
      const auto rank = [](const Reason& r) { return std::make_pair(r.pair->likeness, r.kept); };
      const Reason reason{pair, other};
      if (!best || rank(reason) < rank(*best)) best = reason;
    }
    return best;
  }

  void leave_out(std::size_t index, const Reason& reason) {
    left_out_[index] = true;
    Image kept = images_[reason.kept];
    const Image copy = images_[index];
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
      if (!labels.finer.empty()) images_.set(reason.kept, kept);
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
    const std::vector<std::uint32_t> first = together_with(images_, fields);
    for (std::size_t i = 0; i < images_.size(); ++i) {
      if (first[i] == i) continue;
      Image head = images_[first[i]], image = images_[i];
      if (head.group.empty()) {
        head.group = image.group.empty() ? head.source + " " + head.source_file : image.group;
        result_.grouped += image.group.empty();
        images_.set(first[i], head);
      }
      result_.grouped += image.group.empty();
      if (image.group == head.group) continue;
      image.group = head.group;
      images_.set(i, image);
    }
  }

  void gather() {
    StoredList<Image>& gathered = result_.corpus.images;
    for (std::size_t i = 0; i < images_.size(); ++i) {
      if (left_out_[i]) continue;
      Image image = images_[i];
      if (!options_.only.empty() && image.source != options_.only) continue;
      char name[32];
      std::snprintf(name, sizeof name, "%06zu", gathered.size() + 1);
      image.file = name + lower_extension(image.file);
      gathered.push_back(image);
    }
    if (gathered.empty() && !options_.only.empty())
      throw Error("--only " + options_.only + ": no image is of that source, or all are copies of others");
  }

  const MergeOptions& options_;
  MergeResult result_;
  StoredList<Image> images_;
  std::vector<Use> use_;  // of each image
  std::vector<Pair> pairs_;
  std::map<std::size_t, std::vector<std::size_t>> pairs_of_;  // of images that have any: indices into pairs_
  std::vector<bool> left_out_;
};

}  // namespace

MergeResult merge(std::vector<StoredCorpus> corpora, const MergeOptions& options) {
  if (corpora.empty()) throw Error("nothing to merge: name at least one corpus");
  for (const StoredCorpus& corpus : corpora) {
    if (corpus.classes != corpora.front().classes) {
      throw Error("the corpora have different classes; standardise them first, with one taxonomy");
    }
  }
  return Merger(std::move(corpora), options).run();
}

}  // namespace smearscope::corpus
