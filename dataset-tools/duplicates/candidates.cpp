#include "duplicates/candidates.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <tuple>

#include "corpus/parallel.h"

namespace smearscope::corpus {
namespace {

constexpr double least_correlation = 0.4;  // README has the figures
constexpr std::size_t most_compared = 1000;
constexpr int bucket_bits = 8;  // patches are sorted in buckets of the first bits of their keys

struct Entry {
  Patch patch;
  std::uint32_t picture;
};
using Bucket = std::vector<Entry>;

int bits_to_agree(std::size_t pictures) {
  constexpr int at_one = 12;
  const int bits =
      at_one + static_cast<int>(std::log2(static_cast<double>(std::max<std::size_t>(1, pictures))));
  return std::clamp(bits, 16, Patch::key_bits);
}

std::size_t bucket_of(const Patch& patch) {
  return patch.key() >> (Patch::key_bits - bucket_bits);
}

std::vector<Bucket> into_buckets(std::vector<std::vector<Patch>> patches) {
  std::vector<std::size_t> size(std::size_t(1) << bucket_bits);
  for (const auto& of_picture : patches) {
    for (const Patch& patch : of_picture) ++size[bucket_of(patch)];
  }
  std::vector<Bucket> buckets(size.size());
  for (std::size_t i = 0; i < size.size(); ++i) buckets[i].reserve(size[i]);
  for (std::size_t i = 0; i < patches.size(); ++i) {
    for (const Patch& patch : patches[i]) buckets[bucket_of(patch)].push_back({patch, std::uint32_t(i)});
    patches[i] = {};  // each patch is in memory about once
  }
  return buckets;
}

// Sorts them, and leaves of each pair of pictures that which correlates best.
void keep_best(std::vector<Candidate>& candidates) {
  std::stable_sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return std::tie(a.first, a.second, b.correlation) < std::tie(b.first, b.second, a.correlation);
  });
  const auto end = std::unique(
      candidates.begin(), candidates.end(),
      [](const Candidate& a, const Candidate& b) { return a.first == b.first && a.second == b.second; });
  candidates.erase(end, candidates.end());
}

std::vector<Candidate> candidates_in(Bucket& bucket, int bits, const std::vector<Miniature>& miniatures) {
  const auto key = [&](const Entry& entry) { return entry.patch.key() >> (Patch::key_bits - bits); };
  std::stable_sort(bucket.begin(), bucket.end(),
                   [&](const Entry& a, const Entry& b) { return key(a) < key(b); });
  std::vector<Candidate> found;
  for (std::size_t i = 0; i < bucket.size(); ++i) {
    const Entry& one = bucket[i];
    const std::size_t end = std::min(bucket.size(), i + 1 + most_compared);
    for (std::size_t k = i + 1; k < end && key(bucket[k]) == key(one); ++k) {
      const Entry& other = bucket[k];
      if (other.picture == one.picture) continue;
      const AxisMap map = map_between(one.patch, other.patch);
      const double correlation = rough_correlation(miniatures[one.picture], miniatures[other.picture], map);
      if (correlation >= least_correlation) found.push_back({one.picture, other.picture, map, correlation});
    }
  }
  keep_best(found);
  return found;
}

}  // namespace

std::vector<Candidate> find_candidates(const std::vector<Miniature>& miniatures,
                                       std::vector<std::vector<Patch>> patches, unsigned threads) {
  const int bits = bits_to_agree(miniatures.size());
  std::vector<Bucket> buckets = into_buckets(std::move(patches));
  std::vector<std::vector<Candidate>> found(buckets.size());
  parallel_for(buckets.size(), threads, [&](std::size_t i) {
    found[i] = candidates_in(buckets[i], bits, miniatures);
    buckets[i] = {};
  });
  std::vector<Candidate> all;
  for (std::vector<Candidate>& of_bucket : found) {
    all.insert(all.end(), of_bucket.begin(), of_bucket.end());
    of_bucket = {};
  }
  keep_best(all);
  return all;
}

}  // namespace smearscope::corpus
