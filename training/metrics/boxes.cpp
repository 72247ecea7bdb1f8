#include "metrics/boxes.h"

#include <algorithm>

namespace smearscope::metrics {

double intersection(const Box& a, const Box& b) {
  const double width = std::min(a.x + a.width, b.x + b.width) - std::max(a.x, b.x);
  const double height = std::min(a.y + a.height, b.y + b.height) - std::max(a.y, b.y);
  return width > 0 && height > 0 ? width * height : 0;
}

double overlap(const Box& found, const Box& truth, bool crowd) {
  const double common = intersection(found, truth);
  if (common <= 0) return 0;
  return common / (crowd ? found.area() : found.area() + truth.area() - common);
}

bool is_kind_of(const std::vector<Category>& categories, int category, int ancestor) {
  // As many steps as there are categories: parents that go in a circle end, too.
  int at = category;
  for (std::size_t step = 0; step < categories.size() && at >= 0; ++step) {
    at = categories[static_cast<std::size_t>(at)].parent;
    if (at == ancestor) return ancestor != category;
  }
  return false;
}

const std::array<double, iou_count>& iou_thresholds() {
  static const std::array<double, iou_count> thresholds = [] {
    // numpy.linspace(0.5, 0.95, 10): the ends exactly, between them the start and so many steps.
    std::array<double, iou_count> values{};
    const double step = (0.95 - 0.5) / (iou_count - 1);
    for (int i = 0; i < iou_count; ++i) values[static_cast<std::size_t>(i)] = i * step + 0.5;
    values.back() = 0.95;
    return values;
  }();
  return thresholds;
}

bool is_in(AreaRange range, double area) {
  constexpr double bounds[area_count][2] = {
      {0, 1e5 * 1e5}, {0, 32 * 32}, {32 * 32, 96 * 96}, {96 * 96, 1e5 * 1e5}};
  return area >= bounds[range][0] && area <= bounds[range][1];
}

}  // namespace smearscope::metrics
