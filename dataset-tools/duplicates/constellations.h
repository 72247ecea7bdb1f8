// Four landmarks that lie to each other as four of another picture do.
#pragma once

#include <cstdint>
#include <vector>

#include "duplicates/axis_map.h"
#include "duplicates/fingerprint.h"

namespace smearscope::corpus {

// Four landmarks and the box around them (1/256 of the picture's sides). The key says how they lie in the
// box, up to stretching, mirroring and turning by right angles, and which of them are dark. Four landmarks
// found again within a hundredth of the side have the same key in about a third of cases (it is made of steps).
struct Constellation {
  std::uint32_t key = 0;
  std::uint8_t x = 0, y = 0, width = 0, height = 0;
  std::uint8_t orientation = 0;  // what turns it into the standard one. Bit 0: mirrored, bit 1: upside down,
                                 // then bit 2: transposed
};

// Those among the strongest landmarks whose box is of middling size, of all keys the `one_in`th part (a
// constellation is in the part in every picture, or in none). In no particular order, but always the same one.
std::vector<Constellation> constellations_of(const Fingerprint& print, std::uint32_t one_in);

// Takes the box of `from` to the box of `to`, which has the same key, so that their landmarks meet.
AxisMap map_between(const Constellation& from, const Constellation& to);

}  // namespace smearscope::corpus
