// Which pictures may show the same, found without comparing each with each.
#pragma once

#include <cstddef>
#include <vector>

#include "duplicates/alignment.h"
#include "duplicates/axis_map.h"
#include "duplicates/patches.h"

namespace smearscope::corpus {

struct Candidate {
  std::size_t first = 0, second = 0;  // first < second
  AxisMap to_second;                  // exact to some hundredths
  double correlation = 0;             // rough_correlation
};

// Pairs that have a patch in common and correlate roughly when one's patch is put on the other's; ascending,
// each once, under the best of the maps found. The same on any number of threads (0: all processors).
// `patches` are those of the pictures in `miniatures`. How many bits of two keys must agree grows with the
// number of pictures, so that few patches do by chance; measured cost grows with about its 1.5th power. Where
// a key is very common, a patch is compared with the next thousand only.
std::vector<Candidate> find_candidates(const std::vector<Miniature>& miniatures,
                                       std::vector<std::vector<Patch>> patches, unsigned threads);

}  // namespace smearscope::corpus
