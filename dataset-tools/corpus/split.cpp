#include "corpus/split.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>

#include "corpus/folder.h"
#include "corpus/groups.h"

namespace smearscope::corpus {
namespace {

constexpr std::size_t part_count = 3;
const std::array<const char*, part_count> part_names{"train", "val", "test"};
constexpr std::size_t no_part = part_count;

// Images that stay together.
struct Unit {
  std::vector<std::size_t> images;
  std::map<std::size_t, double> labels;  // label -> how often
  std::string key;                       // decides the order; depends on seed and images only
  std::size_t part = no_part;
};

std::size_t part_of(const std::string& name) {
  return static_cast<std::size_t>(std::find(part_names.begin(), part_names.end(), name) - part_names.begin());
}

// Labels: the classes, then the sources (each image has one; an image without cells counts there).
class Stratifier {
 public:
  Stratifier(const Corpus& corpus, const std::array<double, part_count>& shares)
      : corpus_(corpus), shares_(shares) {
    for (const Image& image : corpus.images)
      label_of_source_.emplace(image.source, corpus.classes.size() + label_of_source_.size());
  }

  void add(const std::vector<std::size_t>& images, std::uint64_t seed) {
    Unit unit;
    unit.images = images;
    unit.key = std::to_string(seed);
    std::vector<std::string> names;
    for (const std::size_t index : images) {
      const Image& image = corpus_.images[index];
      for (const Annotation& a : image.annotations) ++unit.labels[static_cast<std::size_t>(a.category)];
      ++unit.labels[label_of_source_.at(image.source)];
      names.push_back(image.source + "\n" + image.source_file);
    }
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) unit.key += "\n" + name;
    unit.key = sha256_of_text(unit.key);
    units_.push_back(std::move(unit));
  }

  void fix(std::size_t part) { units_.back().part = part; }

  const std::vector<Unit>& deal_out() {
    std::sort(units_.begin(), units_.end(), [](const Unit& a, const Unit& b) { return a.key < b.key; });
    const std::size_t labels = corpus_.classes.size() + label_of_source_.size();
    for (std::size_t part = 0; part < part_count; ++part) wanted_[part].assign(labels, 0);
    for (const Unit& unit : units_) {
      for (std::size_t part = 0; part < part_count; ++part) {
        for (const auto& [label, count] : unit.labels) wanted_[part][label] += shares_[part] * count;
        wanted_images_[part] += shares_[part] * static_cast<double>(unit.images.size());
      }
    }
    for (Unit& unit : units_) {
      if (unit.part != no_part) take_from_wanted(unit);
    }
    for (std::size_t label = rarest(); label < labels; label = rarest()) {
      for (Unit& unit : units_) {
        if (unit.part != no_part || unit.labels.count(label) == 0) continue;
        unit.part = neediest_part(label);
        take_from_wanted(unit);
      }
    }
    return units_;
  }

 private:
  // Of the labels of units without a part, that of the fewest units.
  std::size_t rarest() const {
    std::map<std::size_t, std::size_t> units_with;
    for (const Unit& unit : units_) {
      if (unit.part != no_part) continue;
      for (const auto& [label, count] : unit.labels) ++units_with[label];
    }
    const auto fewest = std::min_element(units_with.begin(), units_with.end(),
                                         [](const auto& a, const auto& b) { return a.second < b.second; });
    return fewest == units_with.end() ? corpus_.classes.size() + label_of_source_.size() : fewest->first;
  }

  std::size_t neediest_part(std::size_t label) const {
    std::size_t best = no_part;
    for (std::size_t part = 0; part < part_count; ++part) {
      if (shares_[part] <= 0) continue;
      const auto need = [&](std::size_t p) { return std::make_pair(wanted_[p][label], wanted_images_[p]); };
      if (best == no_part || need(part) > need(best)) best = part;
    }
    return best;
  }

  void take_from_wanted(const Unit& unit) {
    for (const auto& [label, count] : unit.labels) wanted_[unit.part][label] -= count;
    wanted_images_[unit.part] -= static_cast<double>(unit.images.size());
  }

  const Corpus& corpus_;
  std::array<double, part_count> shares_;
  std::map<std::string, std::size_t> label_of_source_;
  std::vector<Unit> units_;
  std::array<std::vector<double>, part_count> wanted_;
  std::array<double, part_count> wanted_images_{};
};

// The part that images which belong together have already; no_part if none has one.
std::size_t kept_part(const Corpus& corpus, const std::vector<std::size_t>& images) {
  std::size_t first = images.front();
  for (const std::size_t index : images) {
    const std::string& part = corpus.images[index].part;
    if (part.empty()) continue;
    const std::string& earlier = corpus.images[first].part;
    if (!earlier.empty() && part != earlier) {
      throw Error("'" + corpus.images[first].file + "' is in " + earlier + " and '" +
                  corpus.images[index].file + "', which belongs together with it, in " + part +
                  ": merge the corpus first (it leaves such images out of train), or don't keep the parts");
    }
    first = index;
  }
  return part_of(corpus.images[first].part);
}

}  // namespace

void split(Corpus& corpus, const std::vector<std::pair<std::size_t, std::size_t>>& pairs,
           const SplitOptions& options) {
  const double train = 1 - options.val - options.test;
  if (!(options.val >= 0 && options.test >= 0 && train > 0))
    throw Error("the shares of val and test must be 0 or more, and together less than 1");
  std::map<std::size_t, std::vector<std::size_t>> together;
  const std::vector<std::size_t> first = together_with(corpus.images, pairs);
  for (std::size_t i = 0; i < first.size(); ++i) together[first[i]].push_back(i);

  Stratifier stratifier(corpus, {train, options.val, options.test});
  for (const auto& [index, images] : together) {
    stratifier.add(images, options.seed);
    if (options.keep_parts) stratifier.fix(kept_part(corpus, images));
  }
  for (const Unit& unit : stratifier.deal_out()) {
    for (const std::size_t image : unit.images) corpus.images[image].part = part_names[unit.part];
  }
}

}  // namespace smearscope::corpus
