// Anchor boxes of one pyramid level (torchvision/models/detection/anchor_utils.py). Host code, shared by all
// devices.
#pragma once

#include <vector>

#include "ops/transform.h"
#include "smearscope/detector.h"

namespace smearscope::ops {

// Boxes around (0, 0), in pixels of the network's input: one per (ratio, size), ratio outermost. For height /
// width ratio r and size s, half extents are s / sqrt(r) / 2 and s * sqrt(r) / 2 in float32, rounded half to
// even.
std::vector<Box> cell_anchors(const std::vector<float>& sizes, const std::vector<float>& ratios);

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
