#include "ops/nms.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/simd.h"

namespace smearscope::ops {
namespace {

// The largest float that is not above `threshold`: a float is above one exactly if it is above the other.
float round_down(double threshold) {
  const auto nearest = static_cast<float>(threshold);
  return static_cast<double>(nearest) > threshold
             ? std::nextafter(nearest, -std::numeric_limits<float>::infinity())
             : nearest;
}

SMEARSCOPE_VECTORISED void suppress_overlaps(int box, int count, float threshold, NmsScratch& scratch) {
  const float* const x_min = scratch.x_min.data();
  const float* const y_min = scratch.y_min.data();
  const float* const x_max = scratch.x_max.data();
  const float* const y_max = scratch.y_max.data();
  const float* const area = scratch.area.data();
  std::uint8_t* const suppressed = scratch.suppressed.data();
  const float left = x_min[box], top = y_min[box], right = x_max[box], bottom = y_max[box],
              own_area = area[box];
  for (int i = box + 1; i < count; ++i) {
    const float width = std::max(std::min(right, x_max[i]) - std::max(left, x_min[i]), 0.0F);
    const float height = std::max(std::min(bottom, y_max[i]) - std::max(top, y_min[i]), 0.0F);
    const float intersection = width * height;
    const float overlap = intersection / (own_area + area[i] - intersection);
    suppressed[i] = static_cast<std::uint8_t>(suppressed[i] | (overlap > threshold ? 1 : 0));
  }
}

}  // namespace

void nms_cpu(const Box* boxes, int count, double threshold, std::size_t max_kept,
             std::vector<std::uint32_t>& kept, NmsScratch& scratch) {
  for (std::vector<float>* column :
       {&scratch.x_min, &scratch.y_min, &scratch.x_max, &scratch.y_max, &scratch.area})
    column->resize(count);
  scratch.suppressed.assign(count, 0);
  for (int i = 0; i < count; ++i) {
    scratch.x_min[i] = boxes[i].x_min;
    scratch.y_min[i] = boxes[i].y_min;
    scratch.x_max[i] = boxes[i].x_max;
    scratch.y_max[i] = boxes[i].y_max;
    scratch.area[i] = (boxes[i].x_max - boxes[i].x_min) * (boxes[i].y_max - boxes[i].y_min);
  }
  const float limit = round_down(threshold);
  for (int i = 0; i < count && kept.size() < max_kept; ++i) {
    if (scratch.suppressed[i]) continue;
    kept.push_back(static_cast<std::uint32_t>(i));
    suppress_overlaps(i, count, limit, scratch);
  }
}

}  // namespace smearscope::ops
