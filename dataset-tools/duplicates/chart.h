// How many landmarks two pictures have in common.
#pragma once

#include <array>
#include <cstdint>

#include "duplicates/axis_map.h"
#include "duplicates/fingerprint.h"

namespace smearscope::corpus {

// Of the landmarks of one picture, those that a map takes into the frame of another, and those of them that
// fall on one of the other's landmarks, dark on dark or light on light.
struct Meeting {
  int inside = 0, common = 0;
};

// The landmarks of one picture, drawn so that those of many others are compared with them quickly.
class Chart {
 public:
  explicit Chart(const Fingerprint& print);

  // Could `map` (landmarks of `other` to this picture, 1/256 of the sides) be the right one? It is exact to
  // some hundredths. Made to be cheap: nearly all that is asked of it is chance.
  bool may_meet(const Fingerprint& other, const AxisMap& map) const;

  // Fits `map` to the landmarks that meet, and counts those that are within 1/64 then, one to one.
  Meeting fit(const Fingerprint& other, AxisMap& map) const;

 private:
  static constexpr int cells = 128;  // a side; one more all around for what falls outside

  int count_common(const Fingerprint& other, const AxisMap& map, std::size_t first) const;

  const Fingerprint& print_;
  std::array<std::uint8_t, (cells + 2) * (cells + 2)> colours_{};  // bit 0: light, bit 1: dark landmark near
};

}  // namespace smearscope::corpus
