#include "duplicates/candidates.h"

#include <algorithm>
#include <cmath>

#include "corpus/parallel.h"
#include "duplicates/chart.h"
#include "duplicates/constellations.h"

namespace smearscope::corpus {
namespace {

// Copies may be stretched by this in either direction, relative to the picture, which crops of 15% a side
// do (1 / 0.7), and the middle of one lies so near to the middle of the other (1/256 of the side): pictures
// of one field overlap by half at least.
constexpr float most_stretch = 1.55F, most_shift = 140;

// Of the landmarks inside the other's frame so many must meet. See README: of 5,179 pictures 15 pairs do so
// by chance.
constexpr int least_common = 10;
bool is_enough(const Meeting& meeting) {
  return meeting.common >= std::max(least_common, 5 + meeting.inside / 4);
}

}
unsigned long scanned=0;
namespace {
struct Entry {
  std::uint32_t image;
  Constellation constellation;
};

// The constellations of some pictures by their keys.
class Index {
 public:
  Index(const std::vector<Fingerprint>& prints, std::size_t begin, std::size_t end, std::uint32_t one_in,
        unsigned threads)
      : begin_((std::size_t(1) << bits) + 1) {
    std::vector<std::vector<Constellation>> of_image(end - begin);
    parallel_for(end - begin, threads,
                 [&](std::size_t i) { of_image[i] = constellations_of(prints[begin + i], one_in); });
    for (const auto& image : of_image) {
      for (const Constellation& c : image) ++begin_[bucket_of(c.key) + 1];
    }
    for (std::size_t i = 1; i < begin_.size(); ++i) begin_[i] += begin_[i - 1];
    std::vector<std::size_t> next(begin_.begin(), begin_.end() - 1);
    entries_.resize(begin_.back());
    for (std::size_t i = 0; i < of_image.size(); ++i) {
      for (const Constellation& c : of_image[i]) {
        entries_[next[bucket_of(c.key)]++] = {std::uint32_t(begin + i), c};
      }
      of_image[i] = {};
    }
  }

  // Calls `use` with the entries of that key of images after `image`.
  template <class Use>
  void for_each_after(std::size_t image, std::uint32_t key, Use use) const {
    const std::size_t bucket = bucket_of(key);
    for (std::size_t i = begin_[bucket + 1]; i > begin_[bucket]; --i) {
      const Entry& entry = entries_[i - 1];
      if (entry.image <= image) return;
++scanned;
      if (entry.constellation.key == key) use(entry);
    }
  }

 private:
  static constexpr int bits = 20;
  static std::size_t bucket_of(std::uint32_t key) { return key >> (32 - bits); }

  std::vector<std::size_t> begin_;
  std::vector<Entry> entries_;  // of one bucket together, by image
};

bool is_possible(const AxisMap& map) {
  const auto is_axis_possible = [](const Axis& axis) {
    const float stretch = std::abs(axis.scale);
    return stretch <= most_stretch && stretch * most_stretch >= 1 &&
           std::abs(axis.at(128) - 128) <= most_shift;
  };
  return is_axis_possible(map.x) && is_axis_possible(map.y);
}

struct Guess {
  std::size_t image;
  AxisMap map;  // from that image
  int common;
};

// Candidates among the images of the index that come after `image`.
void find_for(std::size_t image, const std::vector<Fingerprint>& prints, const Index& index,
              std::uint32_t one_in, std::vector<Candidate>& found) {
  const Chart chart(prints[image]);
  std::vector<Guess> guesses;
  for (const Constellation& constellation : constellations_of(prints[image], one_in)) {
    index.for_each_after(image, constellation.key, [&](const Entry& entry) {
      AxisMap map = map_between(entry.constellation, constellation);
      if (!is_possible(map) || !chart.may_meet(prints[entry.image], map)) return;
      const Meeting meeting = chart.fit(prints[entry.image], map);
      if (is_enough(meeting) && is_possible(map)) guesses.push_back({entry.image, map, meeting.common});
    });
  }
  std::stable_sort(guesses.begin(), guesses.end(), [](const Guess& a, const Guess& b) {
    return a.image != b.image ? a.image < b.image : a.common > b.common;
  });
  for (const Guess& guess : guesses) {
    const bool is_best = found.empty() || found.back().second != guess.image;
    if (is_best) found.push_back({image, guess.image, guess.map.inverse()});
  }
}

}  // namespace

std::vector<Candidate> find_candidates(const std::vector<Fingerprint>& prints, std::uint32_t one_in,
                                       unsigned threads) {
  constexpr std::size_t entries_at_once = 20'000'000;  // 240 MB
  constexpr std::size_t constellations = 4500;         // of a picture, measured
  const std::size_t block = std::max<std::size_t>(1, entries_at_once / (constellations / one_in + 1));
  std::vector<std::vector<Candidate>> found(prints.size());
  for (std::size_t begin = 0; begin < prints.size(); begin += block) {
    const std::size_t end = std::min(prints.size(), begin + block);
    const Index index(prints, begin, end, one_in, threads);
    parallel_for(end, threads, [&](std::size_t i) { find_for(i, prints, index, one_in, found[i]); });
  }
  std::vector<Candidate> all;
  for (const auto& of_image : found) all.insert(all.end(), of_image.begin(), of_image.end());
  return all;
}

std::uint32_t one_in_for(std::size_t pictures) {
  std::uint32_t one_in = 4;
  for (std::size_t most = 40'000; most < pictures && one_in < 32; most *= 2) one_in *= 2;
  return one_in;
}

}  // namespace smearscope::corpus
