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
  const auto overlap_of = [](const Box& a, const Box& b) {
    return ops::overlap(a, ops::area_of(a), b, ops::area_of(b));
  };
  int deepest = 0;
  for (const Detection& detection : found) deepest = std::max(deepest, depth_of(model, detection.label));
  Detections named;
  named.reserve(found.size());
  for (const Detection& detection : found) {
    if (depth_of(model, detection.label) != 0) continue;
    const auto hides = [&](const Detection& better) { return overlap_of(better.box, detection.box) > limit; };
    if (std::none_of(named.begin(), named.end(), hides)) named.push_back(detection);
  }
  const Detections cells = named;  // by their families' boxes: the kinds' lie a little off
  for (int depth = 1; depth <= deepest; ++depth) {
    for (const Detection& detection : found) {
      if (!(detection.score > naming.kind) || depth_of(model, detection.label) != depth) continue;
      Detection* cell = nullptr;
      float most = limit;
      for (std::size_t i = 0; i < cells.size(); ++i) {
        const float overlap = overlap_of(cells[i].box, detection.box);
        if (!(overlap > most) || !is_kind_of(model, detection.label, named[i].label)) continue;
        most = overlap;
        cell = &named[i];
      }
      if (cell != nullptr) *cell = detection;
    }
  }
  std::stable_sort(named.begin(), named.end(),
                   [](const Detection& a, const Detection& b) { return a.score > b.score; });
  return named;
}

}  // namespace smearscope
