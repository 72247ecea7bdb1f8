// How large a pixel is, told by red cells.
#pragma once

#include <cstddef>
#include <deque>

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

}  // namespace smearscope
