#include "ops/box_coder.h"

#include <algorithm>
#include <cmath>

namespace smearscope::ops {

Box decode_box(const Box& reference, const float* deltas, BoxCoderWeights weights) {
  static const auto largest = static_cast<float>(std::log(1000.0 / 16));
  const float width = reference.x_max - reference.x_min;
  const float height = reference.y_max - reference.y_min;
  const float centre_x = deltas[0] / weights.centre * width + (reference.x_min + 0.5F * width);
  const float centre_y = deltas[1] / weights.centre * height + (reference.y_min + 0.5F * height);
  const float half_width = 0.5F * (std::exp(std::min(deltas[2] / weights.size, largest)) * width);
  const float half_height = 0.5F * (std::exp(std::min(deltas[3] / weights.size, largest)) * height);
  return {centre_x - half_width, centre_y - half_height, centre_x + half_width, centre_y + half_height};
}

Box clip_box(const Box& box, Size image) {
  const auto clip = [](float value, int limit) { return std::clamp(value, 0.0F, static_cast<float>(limit)); };
  return {clip(box.x_min, image.width), clip(box.y_min, image.height), clip(box.x_max, image.width),
          clip(box.y_max, image.height)};
}

bool is_at_least(const Box& box, float minimum) {
  return box.x_max - box.x_min >= minimum && box.y_max - box.y_min >= minimum;
}

}  // namespace smearscope::ops
