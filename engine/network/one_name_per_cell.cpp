#include <algorithm>

#include "ops/nms.h"
#include "smearscope/detector.h"

namespace smearscope {

Detections one_name_per_cell(const Detections& found, const Naming& naming, const ModelInfo& model) {
  if (naming.agnostic_nms >= 1) return found;
  const float limit = ops::round_down(naming.agnostic_nms);
  Detections named;
  named.reserve(found.size());
  for (const Detection& detection : found) {
    const float area = ops::area_of(detection.box);
    const auto cell = std::find_if(named.begin(), named.end(), [&](const Detection& better) {
      return ops::overlap(better.box, ops::area_of(better.box), detection.box, area) > limit;
    });
    if (cell == named.end())
      named.push_back(detection);
    else if (detection.score > naming.kind && is_kind_of(model, detection.label, cell->label))
      *cell = detection;
  }
  std::stable_sort(named.begin(), named.end(),
                   [](const Detection& a, const Detection& b) { return a.score > b.score; });
  return named;
}

}  // namespace smearscope
