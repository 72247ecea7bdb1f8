#include "ops/anchors.h"

#include <cmath>
#include <utility>

namespace smearscope::ops {

std::vector<Box> cell_anchors(const std::vector<float>& sizes, const std::vector<float>& ratios) {
  std::vector<Box> cells;
  for (const float ratio : ratios) {
    const float height_factor = std::sqrt(ratio);
    const float width_factor = 1 / height_factor;
    for (const float size : sizes) {
      const float half_width = std::nearbyint(width_factor * size / 2);
      const float half_height = std::nearbyint(height_factor * size / 2);
      cells.push_back({-half_width, -half_height, half_width, half_height});
    }
  }
  return cells;
}

Box AnchorGrid::at(int index) const {
  const int cell_count = static_cast<int>(cells.size());
  return anchor_at(cells[index % cell_count], index / cell_count, grid.width, stride);
}

AnchorGrid anchor_grid(std::vector<Box> cells, Size grid, Size padded_input) {
  return {std::move(cells), grid, {padded_input.width / grid.width, padded_input.height / grid.height}};
}

}  // namespace smearscope::ops
