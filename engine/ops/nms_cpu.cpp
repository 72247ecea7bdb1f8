#include "ops/nms.h"

#include "ops/simd.h"

namespace smearscope::ops {
namespace {

SMEARSCOPE_VECTORISED void suppress_overlaps(int box, int count, float threshold, NmsScratch& scratch) {
  const float* const x_min = scratch.x_min.data();
  const float* const y_min = scratch.y_min.data();
  const float* const x_max = scratch.x_max.data();
  const float* const y_max = scratch.y_max.data();
  const float* const area = scratch.area.data();
  std::uint8_t* const suppressed = scratch.suppressed.data();
  const Box own{x_min[box], y_min[box], x_max[box], y_max[box]};
  const float own_area = area[box];
  for (int i = box + 1; i < count; ++i) {
    const float share = overlap(own, own_area, {x_min[i], y_min[i], x_max[i], y_max[i]}, area[i]);
    suppressed[i] = static_cast<std::uint8_t>(suppressed[i] | (share > threshold ? 1 : 0));
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
    scratch.area[i] = area_of(boxes[i]);
  }
  const float limit = round_down(threshold);
  for (int i = 0; i < count && kept.size() < max_kept; ++i) {
    if (scratch.suppressed[i]) continue;
    kept.push_back(static_cast<std::uint32_t>(i));
    suppress_overlaps(i, count, limit, scratch);
  }
}

}  // namespace smearscope::ops
