#include "corpus/pixel_size.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace smearscope::corpus {
namespace {

constexpr std::size_t fewest_cells = 3;

std::vector<double> red_cell_sides(const Image& image, const Taxonomy& taxonomy) {
  std::vector<double> sides;
  const auto rbc = taxonomy.class_of_name.find("rbc");
  if (rbc == taxonomy.class_of_name.end()) return sides;
  for (const Annotation& a : image.annotations) {
    const bool whole =
        a.box.x_min > 1 && a.box.y_min > 1 && a.box.x_max < image.width - 1 && a.box.y_max < image.height - 1;
    const bool drawn = a.origin != BoxOrigin::fallback;
    if (whole && drawn && is_kind_of(taxonomy.classes, a.category, rbc->second))
      sides.push_back(std::sqrt(a.box.area()));
  }
  return sides;
}

}  // namespace

double estimated_pixel_size_um(const Image& image, const Taxonomy& taxonomy, ImageFile& file) {
  std::vector<double> sides = red_cell_sides(image, taxonomy);
  if (sides.size() >= fewest_cells) {
    const auto middle = sides.begin() + std::ptrdiff_t(sides.size() / 2);
    std::nth_element(sides.begin(), middle, sides.end());
    return red_cell_um / *middle;
  }
  const std::optional<double>& diameter = file.red_cell_diameter();
  return diameter ? red_cell_um / *diameter : 0;
}

}  // namespace smearscope::corpus
