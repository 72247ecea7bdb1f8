// Box regression (torchvision/models/detection/_utils.py, BoxCoder; torchvision/ops/boxes.py). For host and
// device.
#pragma once

#include <cmath>

#include "ops/host_device.h"
#include "ops/transform.h"
#include "smearscope/detector.h"

namespace smearscope::ops {

struct BoxCoderWeights {
  float centre = 1;  // divides dx and dy
  float size = 1;    // divides dw and dh
};
inline constexpr BoxCoderWeights rpn_coder{1, 1};
inline constexpr BoxCoderWeights box_head_coder{10, 5};

inline constexpr float largest_size_delta = 4.135166556742355F;  // log(1000 / 16)

// The box that `deltas` = dx, dy, dw, dh make of `reference`, in float32:
//   centre + (dx, dy) / weight * size, size * exp(min((dw, dh) / weight, log(1000 / 16)))
SMEARSCOPE_HOST_DEVICE inline Box decode_box(const Box& reference, const float* deltas,
                                             BoxCoderWeights weights) {
  const float width = reference.x_max - reference.x_min;
  const float height = reference.y_max - reference.y_min;
  const float centre_x = deltas[0] / weights.centre * width + (reference.x_min + 0.5F * width);
  const float centre_y = deltas[1] / weights.centre * height + (reference.y_min + 0.5F * height);
  const float limit = largest_size_delta;
  const float half_width = 0.5F * (std::exp(smaller(deltas[2] / weights.size, limit)) * width);
  const float half_height = 0.5F * (std::exp(smaller(deltas[3] / weights.size, limit)) * height);
  return {centre_x - half_width, centre_y - half_height, centre_x + half_width, centre_y + half_height};
}

SMEARSCOPE_HOST_DEVICE inline float clip(float value, int limit) {
  return smaller(larger(value, 0.0F), static_cast<float>(limit));
}

// Clamped into 0..width and 0..height. A NaN stays NaN.
SMEARSCOPE_HOST_DEVICE inline Box clip_box(const Box& box, Size image) {
  return {clip(box.x_min, image.width), clip(box.y_min, image.height), clip(box.x_max, image.width),
          clip(box.y_max, image.height)};
}

// Both sides at least `minimum`; false for a box with a NaN.
SMEARSCOPE_HOST_DEVICE inline bool is_at_least(const Box& box, float minimum) {
  return box.x_max - box.x_min >= minimum && box.y_max - box.y_min >= minimum;
}

}  // namespace smearscope::ops
