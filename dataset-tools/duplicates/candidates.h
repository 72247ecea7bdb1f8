// Which pictures may be copies of each other, told from their landmarks alone.
#pragma once

#include <cstdint>
#include <vector>

#include "duplicates/axis_map.h"
#include "duplicates/fingerprint.h"

namespace smearscope::corpus {

struct Candidate {
  std::size_t first = 0, second = 0;  // first < second
  AxisMap to_second;                  // 1/256 of the sides, exact to about 1/256
};

// Pairs of pictures with many landmarks in common, in order, each once; on any number of threads the same.
// Constellations are looked up in an index, the `one_in`th part of them (constellations.h); their cost grows
// with the square of the number of pictures, and shrinks with the square of `one_in`.
std::vector<Candidate> find_candidates(const std::vector<Fingerprint>& prints, std::uint32_t one_in,
                                       unsigned threads);

// The part of constellations to use for that many pictures: as many as can be afforded.
std::uint32_t one_in_for(std::size_t pictures);

}  // namespace smearscope::corpus
