#include <algorithm>

#include "ops/nms.h"
#include "smearscope/detector.h"

namespace smearscope {
namespace {

// 0: a kind of nothing.
int depth_of(const ModelInfo& model, int label) {
  int depth = 0;
  if (model.parents.empty()) return depth;
  for (int at = model.parents.at(static_cast<std::size_t>(label)); at >= 0;
       at = model.parents[static_cast<std::size_t>(at)]) {
    ++depth;
  }
  return depth;
}

}  // namespace

Detections one_name_per_cell(const Detections& found, const Naming& naming, const ModelInfo& model) {
  if (naming.agnostic_nms >= 1) return found;
  const float limit = ops::round_down(naming.agnostic_nms);
  int deepest = 0;
  for (const Detection& detection : found) deepest = std::max(deepest, depth_of(model, detection.label));
  Detections named;
  named.reserve(found.size());
  for (int depth = 0; depth <= deepest; ++depth) {
    for (const Detection& detection : found) {
      if (depth_of(model, detection.label) != depth) continue;
      const float area = ops::area_of(detection.box);
      const auto cell = std::find_if(named.begin(), named.end(), [&](const Detection& better) {
        return ops::overlap(better.box, ops::area_of(better.box), detection.box, area) > limit;
      });
      if (depth == 0 && cell == named.end())
        named.push_back(detection);
      else if (depth > 0 && cell != named.end() && detection.score > naming.kind &&
               is_kind_of(model, detection.label, cell->label))
        *cell = detection;
    }
  }
  std::stable_sort(named.begin(), named.end(),
                   [](const Detection& a, const Detection& b) { return a.score > b.score; });
  return named;
}

}  // namespace smearscope
