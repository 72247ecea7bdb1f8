#include "tally/scale.h"

#include <algorithm>
#include <vector>

namespace smearscope {
namespace {

constexpr double red_cell_um = 7.5;
constexpr std::size_t fewest = 10, most = 200;

}  // namespace

void RedCellScale::add(double side) {
  if (!(side > 0)) return;
  sides_.push_back(side);
  if (sides_.size() > most) sides_.pop_front();
}

double RedCellScale::pixel_size_um() const {
  if (sides_.size() < fewest) return 0;
  std::vector<double> sides(sides_.begin(), sides_.end());
  const auto middle = sides.begin() + static_cast<std::ptrdiff_t>(sides.size() / 2);
  std::nth_element(sides.begin(), middle, sides.end());
  return red_cell_um / *middle;
}

View view_of_scale(double pixel_size_um, int height, const DetectionOrigin& origin) {
  const double share = red_cell_um / pixel_size_um / height;
  if (share < origin.least_red_cell) return View::cells_too_small;
  if (origin.largest_red_cell > 0 && share > origin.largest_red_cell) return View::cells_too_large;
  return View::good;
}

}  // namespace smearscope
