#include "metrics/completeness.h"

#include <algorithm>

namespace smearscope::metrics {

double share_inside(const Box& box, const std::vector<Box>& regions) {
  // In each strip between two neighbouring vertical edges the union is that of intervals.
  std::vector<Box> inside;
  std::vector<double> edges;
  for (const Box& region : regions) {
    if (intersection(box, region) <= 0) continue;
    inside.push_back(region);
    for (const double edge : {region.x, region.x + region.width})
      edges.push_back(std::clamp(edge, box.x, box.x + box.width));
  }
  if (inside.empty()) return 0;
  std::sort(edges.begin(), edges.end());
  std::sort(inside.begin(), inside.end(), [](const Box& a, const Box& b) { return a.y < b.y; });
  double covered = 0;
  for (std::size_t i = 0; i + 1 < edges.size(); ++i) {
    const double middle = (edges[i] + edges[i + 1]) / 2;
    double height = 0, reached = box.y;
    for (const Box& region : inside) {
      if (region.x > middle || region.x + region.width < middle) continue;
      const double end = std::min(region.y + region.height, box.y + box.height);
      height += std::max(0.0, end - std::max(region.y, reached));
      reached = std::max(reached, end);
    }
    covered += height * (edges[i + 1] - edges[i]);
  }
  return covered / box.area();
}

bool is_open(const Image& image, int category) {
  return std::binary_search(image.open.begin(), image.open.end(), category);
}

bool may_be_unlabelled(const Image& image, const FoundBox& found) {
  return is_open(image, found.category) || share_inside(found.box, image.ignore_regions) > 0.5;
}

}  // namespace smearscope::metrics
