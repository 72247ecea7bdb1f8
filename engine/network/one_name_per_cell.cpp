#include <algorithm>

#include "ops/nms.h"
#include "smearscope/detector.h"

namespace smearscope {

Detections one_name_per_cell(const Detections& found, double threshold) {
  const float limit = ops::round_down(threshold);
  Detections named;
  named.reserve(found.size());
  for (const Detection& detection : found) {
    const float area = ops::area_of(detection.box);
    const auto hides = [&](const Detection& better) {
      return ops::overlap(better.box, ops::area_of(better.box), detection.box, area) > limit;
    };
    if (std::none_of(named.begin(), named.end(), hides)) named.push_back(detection);
  }
  return named;
}

}  // namespace smearscope
