// Box regression (torchvision/models/detection/_utils.py, BoxCoder; torchvision/ops/boxes.py). Host code.
#pragma once

#include "ops/transform.h"
#include "smearscope/detector.h"

namespace smearscope::ops {

struct BoxCoderWeights {
  float centre = 1;  // divides dx and dy
  float size = 1;    // divides dw and dh
};
inline constexpr BoxCoderWeights rpn_coder{1, 1};
inline constexpr BoxCoderWeights box_head_coder{10, 5};

// The box that `deltas` = dx, dy, dw, dh make of `reference`, in float32:
//   centre + (dx, dy) / weight * size, size * exp(min((dw, dh) / weight, log(1000 / 16)))
Box decode_box(const Box& reference, const float* deltas, BoxCoderWeights weights);

// Clamped into 0..width and 0..height. A NaN stays NaN.
Box clip_box(const Box& box, Size image);

// Both sides at least `minimum`; false for a box with a NaN.
bool is_at_least(const Box& box, float minimum);

}  // namespace smearscope::ops
