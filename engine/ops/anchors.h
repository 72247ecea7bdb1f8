// Anchor boxes of one pyramid level (torchvision/models/detection/anchor_utils.py). Host code, shared by all
// devices, but for `anchor_at`.
#pragma once

#include <vector>

#include "ops/host_device.h"
#include "ops/transform.h"
#include "smearscope/detector.h"

namespace smearscope::ops {

// Boxes around (0, 0), in pixels of the network's input: one per (ratio, size), ratio outermost. For height /
// width ratio r and size s, half extents are s / sqrt(r) / 2 and s * sqrt(r) / 2 in float32, rounded half to
// even.
std::vector<Box> cell_anchors(const std::vector<float>& sizes, const std::vector<float>& ratios);

// Cell anchor `cell` at the grid's position number `position`, counted row by row.
SMEARSCOPE_HOST_DEVICE inline Box anchor_at(const Box& cell, int position, int grid_width, Size stride) {
  const auto x = static_cast<float>(position % grid_width * stride.width);
  const auto y = static_cast<float>(position / grid_width * stride.height);
  return {x + cell.x_min, y + cell.y_min, x + cell.x_max, y + cell.y_max};
}

// The anchors of one level: cell anchor `a` at (y, x) is cells[a] moved by (x * stride.width, y *
// stride.height); no half-pixel shift. Index order everywhere: y, then x, then a.
struct AnchorGrid {
  std::vector<Box> cells;
  Size grid;    // positions
  Size stride;  // padded input size / grid, rounded down

  int count() const { return grid.width * grid.height * static_cast<int>(cells.size()); }
  Box at(int index) const;
};

AnchorGrid anchor_grid(std::vector<Box> cells, Size grid, Size padded_input);

}  // namespace smearscope::ops
