// Sizes on the way from a frame to the network's input, as torchvision's GeneralizedRCNNTransform has them
// (torchvision/models/detection/transform.py, eager mode). Host code, shared by all devices.
#pragma once

#include "smearscope/frame.h"
#include "smearscope/model.h"

namespace smearscope::ops {

struct Size {
  int width = 0;
  int height = 0;
};

inline bool operator==(const Size& a, const Size& b) {
  return a.width == b.width && a.height == b.height;
}

// floor(side * scale) with scale = min(min_side / shorter, max_side / longer) in double precision. At least 1
// per axis (torchvision fails where floor gives 0).
Size resized_size(Size frame, const Transform& transform);

// The next multiples of 32.
Size padded_size(Size resized);

// Throws Error if width or height is below 1, a plane is missing, or a stride is shorter than its row.
void check_frame(const Frame& frame);

// Bytes in one row of plane `plane` of a frame `width` pixels wide.
std::ptrdiff_t row_bytes(PixelFormat format, int plane, int width);

}  // namespace smearscope::ops
