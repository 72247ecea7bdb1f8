// How large a pixel is, told by red cells; and whether a model knows cells of the size that a pixel size
// gives them.
#pragma once

#include <cstddef>
#include <deque>

#include "cell_meta.h"

namespace smearscope {

// Red cells are about 7.5 micrometres wide (normal: 6.2 to 8.2). Where a disease makes them larger or
// smaller, so does it the estimate: whoever measures calibrates. One thread at a time.
class RedCellScale {
 public:
  void add(double side);  // of a red cell's whole box, pixels: the square root of its area
  void reset() { sides_.clear(); }

  // Micrometres per pixel by the median of the last 200; 0 while there are fewer than 10.
  double pixel_size_um() const;

 private:
  std::deque<double> sides_;  // the newest last
};

// good, cells_too_small or cells_too_large: red cells (7.5 micrometres) in frames `height` pixels high,
// beside those that the model of `origin` knows. good where it doesn't tell. The scale must be calibrated:
// far from what it knows a model finds wrong boxes of sizes that it does know, and what these tell is wrong,
// too.
View view_of_scale(double pixel_size_um, int height, const DetectionOrigin& origin);

}  // namespace smearscope
