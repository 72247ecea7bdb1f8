// Which pictures may show the same, found without comparing each with each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "duplicates/alignment.h"
#include "duplicates/axis_map.h"
#include "duplicates/patches.h"
#include "storage/spilled_buckets.h"
#include "storage/stored_list.h"

namespace smearscope::corpus {

struct Candidate {
  std::uint32_t first = 0, second = 0;  // first < second
  std::uint32_t key = 0;                // what their patches have in common
  AxisMap to_second;                    // exact to some hundredths
  double correlation = 0;               // rough_correlation
};

// The patches of many pictures, sorted by their keys. On disk; memory is 4 MiB for any number of pictures.
class PatchIndex {
 public:
  PatchIndex();
  void add(std::size_t picture, const std::vector<Patch>& patches);  // once a picture. Thread-safe

 private:
  friend class CandidateSearch;
  struct Entry {
    Patch patch;
    std::uint32_t picture;
  };
  SpilledBuckets<Entry> buckets_;
};

// Finds pairs that have a patch in common and correlate roughly when one's patch is put on the other's: among
// the pictures that `take_part`, of which there are `pictures`; `miniatures` are of all. Gives them to
// `take`, some at a time: ascending over all calls, each pair once, under the best of the maps found. The
// same on any number of threads (0: all processors). How many bits of two keys must agree grows with the
// number of pictures, so that few patches do by chance; measured cost grows with about its 1.5th power. Where
// a key is very common, a patch is compared with the next thousand only. Memory does not grow with the number
// of pictures, but for the candidates of some thousandths of them. Empties `patches`.
void find_candidates(const StoredList<Miniature>& miniatures, PatchIndex& patches,
                     const std::vector<bool>& take_part, std::size_t pictures, unsigned threads,
                     const std::function<void(const std::vector<Candidate>&)>& take);

}  // namespace smearscope::corpus
