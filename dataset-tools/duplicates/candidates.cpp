#include "duplicates/candidates.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "corpus/parallel.h"

namespace smearscope::corpus {
namespace {

constexpr double least_correlation = 0.4;  // README has the figures
constexpr std::size_t most_compared = 1000;
constexpr int bucket_bits = 12;              // patches are sorted in buckets of the first bits of their keys
constexpr std::size_t found_buckets = 1024;  // and what is found in buckets of ranges of pictures

int bits_to_agree(std::size_t pictures) {
  constexpr int at_one = 12;
  const int bits =
      at_one + static_cast<int>(std::log2(static_cast<double>(std::max<std::size_t>(1, pictures))));
  return std::clamp(bits, 16, Patch::key_bits);
}

// Sorts them, and leaves of each pair of pictures that which correlates best.
void keep_best(std::vector<Candidate>& candidates) {
  std::stable_sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return std::tie(a.first, a.second, b.correlation, a.key) <
           std::tie(b.first, b.second, a.correlation, b.key);
  });
  const auto end = std::unique(
      candidates.begin(), candidates.end(),
      [](const Candidate& a, const Candidate& b) { return a.first == b.first && a.second == b.second; });
  candidates.erase(end, candidates.end());
}

// The miniatures of the entries of a bucket that have one key, read as the search moves through them.
class Window {
 public:
  explicit Window(const StoredList<Miniature>& miniatures) : all_(miniatures) {}

  // For that many entries from now on.
  void make_room(std::size_t entries) {
    const std::size_t size = std::min(entries, most_compared + 1);
    if (slots_.size() < size) slots_.assign(size, {});
  }

  const Miniature& of(std::size_t entry, std::uint32_t picture) {
    Slot& slot = slots_[entry % slots_.size()];
    if (slot.entry != entry) slot = {entry, all_[picture]};
    return slot.miniature;
  }

 private:
  struct Slot {
    std::size_t entry = ~std::size_t(0);
    Miniature miniature;
  };
  const StoredList<Miniature>& all_;
  std::vector<Slot> slots_;
};

}  // namespace

PatchIndex::PatchIndex() : buckets_(std::size_t(1) << bucket_bits) {}

void PatchIndex::add(std::size_t picture, const std::vector<Patch>& patches) {
  std::vector<Entry> entries;
  entries.reserve(patches.size());
  for (const Patch& patch : patches) entries.push_back({patch, static_cast<std::uint32_t>(picture)});
  buckets_.add(entries,
               [](const Entry& entry) { return entry.patch.key() >> (Patch::key_bits - bucket_bits); });
}

class CandidateSearch {
 public:
  CandidateSearch(const StoredList<Miniature>& miniatures, PatchIndex& patches,
                  const std::vector<bool>& take_part, std::size_t pictures)
      : miniatures_(miniatures),
        patches_(patches),
        take_part_(take_part),
        bits_(bits_to_agree(pictures)),
        found_(found_buckets) {}

  void run(unsigned threads, const std::function<void(const std::vector<Candidate>&)>& take) {
    parallel_for(patches_.buckets_.size(), threads, [&](std::size_t i) { search(i); });
    for (std::size_t i = 0; i < found_.size(); ++i) {
      std::vector<Candidate> candidates = found_.take(i);
      keep_best(candidates);
      if (!candidates.empty()) take(candidates);
    }
  }

 private:
  using Entry = PatchIndex::Entry;

  std::uint32_t key(const Entry& entry) const { return entry.patch.key() >> (Patch::key_bits - bits_); }

  // In the order of keys, then of pictures, then of a picture's patches.
  std::vector<Entry> sorted(std::size_t bucket) {
    std::vector<Entry> entries = patches_.buckets_.take(bucket);
    entries.erase(std::remove_if(entries.begin(), entries.end(),
                                 [&](const Entry& entry) { return !take_part_[entry.picture]; }),
                  entries.end());
    std::stable_sort(entries.begin(), entries.end(), [&](const Entry& a, const Entry& b) {
      return std::make_tuple(key(a), a.picture) < std::make_tuple(key(b), b.picture);
    });
    return entries;
  }

  void search(std::size_t bucket) {
    const std::vector<Entry> entries = sorted(bucket);
    Window window(miniatures_);
    std::vector<Candidate> found;
    for (std::size_t begin = 0, end = 0; begin < entries.size(); begin = end) {
      while (end < entries.size() && key(entries[end]) == key(entries[begin])) ++end;
      window.make_room(end - begin);
      for (std::size_t i = begin; i < end; ++i) compare_with_next(entries, i, end, window, found);
    }
    keep_best(found);
    found_.add(found, [&](const Candidate& candidate) {
      return std::size_t(candidate.first) * found_buckets / take_part_.size();
    });
  }

  void compare_with_next(const std::vector<Entry>& entries, std::size_t index, std::size_t end,
                         Window& window, std::vector<Candidate>& found) const {
    const Entry& one = entries[index];
    for (std::size_t k = index + 1; k < std::min(end, index + 1 + most_compared); ++k) {
      const Entry& other = entries[k];
      if (other.picture == one.picture) continue;
      const AxisMap map = map_between(one.patch, other.patch);
      const double correlation =
          rough_correlation(window.of(index, one.picture), window.of(k, other.picture), map);
      if (correlation >= least_correlation)
        found.push_back({one.picture, other.picture, key(one), map, correlation});
    }
  }

  const StoredList<Miniature>& miniatures_;
  PatchIndex& patches_;
  const std::vector<bool>& take_part_;
  int bits_;
  SpilledBuckets<Candidate> found_;
};

void find_candidates(const StoredList<Miniature>& miniatures, PatchIndex& patches,
                     const std::vector<bool>& take_part, std::size_t pictures, unsigned threads,
                     const std::function<void(const std::vector<Candidate>&)>& take) {
  CandidateSearch(miniatures, patches, take_part, pictures).run(threads, take);
}

}  // namespace smearscope::corpus
