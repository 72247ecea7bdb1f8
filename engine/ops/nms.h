// Non-maximum suppression (torchvision/csrc/ops/cpu/nms_kernel.cpp).
#pragma once

#include <cstdint>
#include <vector>

#include "smearscope/detector.h"

namespace smearscope::ops {

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
