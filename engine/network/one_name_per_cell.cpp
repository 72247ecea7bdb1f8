#include <algorithm>
#include <utility>

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

void check(const Naming& naming) {
  const auto is_fraction = [](double value) { return value >= 0 && value <= 1; };  // NaN is none
  if (!is_fraction(naming.agnostic_nms) || !is_fraction(naming.kind))
    throw Error("the thresholds for names of cells are " + std::to_string(naming.agnostic_nms) + " and " +
                std::to_string(naming.kind) + "; they must be 0 to 1");
}

float overlap_of(const Box& a, const Box& b) {
  return ops::overlap(a, ops::area_of(a), b, ops::area_of(b));
}

// Gives `cells`, found by their families, the names of kinds.
void name_kinds(const Detections& found, int deepest, float limit, double threshold, const ModelInfo& model,
                Detections& cells) {
  std::vector<Box> places;  // of the families: the kinds' boxes lie a little off
  places.reserve(cells.size());
  for (const Detection& cell : cells) places.push_back(cell.box);
  for (int depth = 1; depth <= deepest; ++depth) {
    for (const Detection& detection : found) {
      if (!(detection.score > threshold) || depth_of(model, detection.label) != depth) continue;
      Detection* named = nullptr;
      float most = limit;
      for (std::size_t i = 0; i < cells.size(); ++i) {
        const float overlap = overlap_of(places[i], detection.box);
        if (!(overlap > most) || !is_kind_of(model, detection.label, cells[i].label)) continue;
        most = overlap;
        named = &cells[i];
      }
      if (named != nullptr) *named = detection;
    }
  }
}

}  // namespace

Detections one_name_per_cell(const Detections& found, const Naming& naming, const ModelInfo& model) {
  check(naming);
  if (naming.agnostic_nms == 1) return found;
  const float limit = ops::round_down(naming.agnostic_nms);
  int deepest = 0;
  Detections cells;
  cells.reserve(found.size());
  for (const Detection& detection : found) {
    const int depth = depth_of(model, detection.label);
    deepest = std::max(deepest, depth);
    const auto hides = [&](const Detection& better) { return overlap_of(better.box, detection.box) > limit; };
    if (depth == 0 && std::none_of(cells.begin(), cells.end(), hides)) cells.push_back(detection);
  }
  if (deepest == 0) return cells;
  name_kinds(found, deepest, limit, naming.kind, model, cells);
  std::sort(cells.begin(), cells.end(), [](const Detection& a, const Detection& b) {
    return a.score != b.score ? a.score > b.score : a.label < b.label;
  });
  return cells;
}

Detections find_cells(Detector& detector, const Frame& frame, Thresholds thresholds, const Naming& naming) {
  check(naming);
  thresholds.sum_kinds = naming.agnostic_nms < 1;  // one name a cell, so it can be that of its family
  Detections found = std::move(detector.detect({frame}, thresholds).front());
  return thresholds.sum_kinds ? one_name_per_cell(found, naming, detector.model().info()) : found;
}

}  // namespace smearscope
