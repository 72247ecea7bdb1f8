#include "corpus/split.h"

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <numeric>
#include <string>
#include <tuple>

#include "corpus/digest.h"
#include "corpus/folder.h"
#include "corpus/groups.h"

namespace smearscope::corpus {
namespace {

constexpr std::size_t part_count = 3;
const std::array<const char*, part_count> part_names{"train", "val", "test"};
constexpr std::uint8_t no_part = part_count;

// Images that stay together. Their indices and their labels are in lists that all units share.
struct Unit {
  struct Range {
    std::uint32_t begin, end;
  };
  Range images, labels;
  std::uint8_t part = no_part;
  Digest key;  // decides the order; depends on seed and images only
};

std::uint8_t part_of(const std::string& name) {
  return static_cast<std::uint8_t>(std::find(part_names.begin(), part_names.end(), name) -
                                   part_names.begin());
}

// Labels: the classes, then the sources (each image has one; an image without cells counts there).
class Stratifier {
 public:
  // `order`: indices of all images, those that stay together beside each other.
  Stratifier(const StoredCorpus& corpus, const std::vector<std::uint32_t>& order,
             const std::array<double, part_count>& shares)
      : corpus_(corpus), order_(order), shares_(shares) {
    for (const Image& image : corpus.images)
      label_of_source_.emplace(image.source, corpus.classes.size() + label_of_source_.size());
  }

  // The next images in order.
  void add(std::uint32_t begin, std::uint32_t end, std::uint64_t seed, bool keep_parts) {
    std::map<std::size_t, std::uint32_t> labels;
    std::vector<std::string> names;
    for (std::uint32_t i = begin; i < end; ++i) {
      const Image image = corpus_.images[order_[i]];
      for (const Annotation& a : image.annotations) ++labels[static_cast<std::size_t>(a.category)];
      ++labels[label_of_source_.at(image.source)];
      names.push_back(image.source + "\n" + image.source_file);
    }
    std::sort(names.begin(), names.end());
    std::string key = std::to_string(seed);
    for (const std::string& name : names) key += "\n" + name;

    const auto first_label = static_cast<std::uint32_t>(labels_.size());
    for (const auto& [label, count] : labels) labels_.push_back({static_cast<std::uint32_t>(label), count});
    units_.push_back({{begin, end},
                      {first_label, static_cast<std::uint32_t>(labels_.size())},
                      keep_parts ? kept_part(begin, end) : no_part,
                      digest_of_digits(sha256_of_text(key))});
  }

  const std::deque<Unit>& deal_out() {
    std::sort(units_.begin(), units_.end(), [](const Unit& a, const Unit& b) { return a.key < b.key; });
    for (std::size_t part = 0; part < part_count; ++part) wanted_[part].assign(label_count(), 0);
    for (const Unit& unit : units_) {
      for (std::size_t part = 0; part < part_count; ++part) {
        for_labels(unit, [&](const Label& l) { wanted_[part][l.label] += shares_[part] * l.count; });
        wanted_images_[part] += shares_[part] * images_of(unit);
      }
    }
    for (Unit& unit : units_) {
      if (unit.part != no_part) take_from_wanted(unit);
    }
    for (std::size_t label = rarest(); label < label_count(); label = rarest()) {
      for (Unit& unit : units_) {
        if (unit.part != no_part || !has(unit, label)) continue;
        unit.part = neediest_part(label);
        take_from_wanted(unit);
      }
    }
    return units_;
  }

 private:
  struct Label {
    std::uint32_t label, count;
  };

  std::size_t label_count() const { return corpus_.classes.size() + label_of_source_.size(); }
  static double images_of(const Unit& unit) { return unit.images.end - unit.images.begin; }
  template <class Task>
  void for_labels(const Unit& unit, const Task& task) const {
    for (std::uint32_t i = unit.labels.begin; i < unit.labels.end; ++i) task(labels_[i]);
  }
  bool has(const Unit& unit, std::size_t label) const {
    bool found = false;
    for_labels(unit, [&](const Label& l) { found |= l.label == label; });
    return found;
  }

  // The part that images which belong together have already; no_part if none has one.
  std::uint8_t kept_part(std::uint32_t begin, std::uint32_t end) const {
    Image first = corpus_.images[order_[begin]];
    for (std::uint32_t i = begin; i < end; ++i) {
      Image image = corpus_.images[order_[i]];
      if (image.part.empty()) continue;
      if (!first.part.empty() && image.part != first.part) {
        throw Error("'" + first.file + "' is in " + first.part + " and '" + image.file +
                    "', which belongs together with it, in " + image.part +
                    ": merge the corpus first (it leaves such images out of train), or don't keep the parts");
      }
      first = std::move(image);
    }
    return part_of(first.part);
  }

  // Of the labels of units without a part, that of the fewest units.
  std::size_t rarest() const {
    std::vector<std::size_t> units_with(label_count());
    for (const Unit& unit : units_) {
      if (unit.part == no_part) for_labels(unit, [&](const Label& l) { ++units_with[l.label]; });
    }
    std::size_t fewest = label_count();
    for (std::size_t label = 0; label < label_count(); ++label) {
      if (units_with[label] > 0 && (fewest == label_count() || units_with[label] < units_with[fewest]))
        fewest = label;
    }
    return fewest;
  }

  std::uint8_t neediest_part(std::size_t label) const {
    std::uint8_t best = no_part;
    for (std::uint8_t part = 0; part < part_count; ++part) {
      if (shares_[part] <= 0) continue;
      const auto need = [&](std::size_t p) { return std::make_pair(wanted_[p][label], wanted_images_[p]); };
      if (best == no_part || need(part) > need(best)) best = part;
    }
    return best;
  }

  void take_from_wanted(const Unit& unit) {
    for_labels(unit, [&](const Label& l) { wanted_[unit.part][l.label] -= l.count; });
    wanted_images_[unit.part] -= images_of(unit);
  }

  const StoredCorpus& corpus_;
  const std::vector<std::uint32_t>& order_;
  std::array<double, part_count> shares_;
  std::map<std::string, std::size_t> label_of_source_;
  std::deque<Label> labels_;
  std::deque<Unit> units_;
  std::array<std::vector<double>, part_count> wanted_;
  std::array<double, part_count> wanted_images_{};
};

}  // namespace

void split(StoredCorpus& corpus, const std::vector<std::pair<std::size_t, std::size_t>>& pairs,
           const SplitOptions& options) {
  const double train = 1 - options.val - options.test;
  if (!(options.val >= 0 && options.test >= 0 && train > 0))
    throw Error("the shares of val and test must be 0 or more, and together less than 1");
  const std::vector<std::uint32_t> first = together_with(corpus.images, pairs);
  std::vector<std::uint32_t> order(first.size());
  std::iota(order.begin(), order.end(), std::uint32_t(0));
  std::sort(order.begin(), order.end(),
            [&](std::uint32_t a, std::uint32_t b) { return std::tie(first[a], a) < std::tie(first[b], b); });

  Stratifier stratifier(corpus, order, {train, options.val, options.test});
  for (std::uint32_t begin = 0, end = 0; begin < order.size(); begin = end) {
    while (end < order.size() && first[order[end]] == first[order[begin]]) ++end;
    stratifier.add(begin, end, options.seed, options.keep_parts);
  }
  std::vector<std::uint8_t> parts(order.size());
  for (const Unit& unit : stratifier.deal_out()) {
    for (std::uint32_t i = unit.images.begin; i < unit.images.end; ++i) parts[order[i]] = unit.part;
  }
  for (std::size_t i = 0; i < parts.size(); ++i)
    corpus.images.change(i, [&](Image& image) { image.part = part_names[parts[i]]; });
}

}  // namespace smearscope::corpus
