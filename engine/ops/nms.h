// Non-maximum suppression (torchvision/csrc/ops/cpu/nms_kernel.cpp).
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "ops/host_device.h"
#include "smearscope/detector.h"

namespace smearscope::ops {

SMEARSCOPE_HOST_DEVICE inline float area_of(const Box& box) {
  return (box.x_max - box.x_min) * (box.y_max - box.y_min);
}

// Intersection over union of two boxes, whose areas are given, in float32. NaN for two boxes without area.
SMEARSCOPE_HOST_DEVICE inline float overlap(const Box& a, float area_a, const Box& b, float area_b) {
  const float width = larger(smaller(a.x_max, b.x_max) - larger(a.x_min, b.x_min), 0.0F);
  const float height = larger(smaller(a.y_max, b.y_max) - larger(a.y_min, b.y_min), 0.0F);
  const float intersection = width * height;
  return intersection / (area_a + area_b - intersection);
}

// The largest float that is not above `threshold`: a float is above one exactly if it is above the other.
inline float round_down(double threshold) {
  const auto nearest = static_cast<float>(threshold);
  return static_cast<double>(nearest) > threshold
             ? std::nextafter(nearest, -std::numeric_limits<float>::infinity())
             : nearest;
}

struct NmsScratch {
  std::vector<float> x_min, y_min, x_max, y_max, area;
  std::vector<std::uint8_t> suppressed;
};

// `boxes` are in order of falling score. Appends to `kept` the indices, rising, of the boxes that no kept box
// before them overlaps with an intersection over union strictly above `threshold` (float32 IoU, compared in
// double precision). Two boxes without area have an IoU of NaN and don't suppress each other. Stops when
// `kept` holds `max_kept`.
void nms_cpu(const Box* boxes, int count, double threshold, std::size_t max_kept,
             std::vector<std::uint32_t>& kept, NmsScratch& scratch);

}  // namespace smearscope::ops
