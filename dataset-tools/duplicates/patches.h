// Parts of a picture that are recognised in its copies, however these were stretched, cropped, mirrored or
// turned.
#pragma once

#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <vector>

#include "duplicates/axis_map.h"

namespace smearscope::corpus {

// The box that has two landmarks for opposite corners. Its key says what is in it: the signs of its discrete
// cosine transform's low frequencies (a perceptual hash), coarse ones in the high bits, in a standard
// orientation; so two boxes that differ a little often have the first bits of their keys in common.
struct Patch {
  static constexpr int key_bits = 29;

  std::uint32_t code = 0;                            // the key, then three bits of orientation
  std::uint8_t x = 0, y = 0, width = 0, height = 0;  // 1/256 of the picture's sides

  std::uint32_t key() const { return code >> 3; }
  // Bit 0: mirroring, bit 1: turning upside down, then bit 2: transposing gives the standard orientation.
  unsigned orientation() const { return code & 7; }
};

// `grey`: the picture, stretched to 128x128, 0..255. At most some 300 patches, always in the same order; none
// in a blank picture.
std::vector<Patch> patches_of(const cv::Mat1f& grey);

// Takes the one box to the other, in standard orientation.
AxisMap map_between(const Patch& from, const Patch& to);

}  // namespace smearscope::corpus
