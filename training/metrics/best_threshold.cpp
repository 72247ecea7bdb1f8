#include "metrics/best_threshold.h"

namespace smearscope::metrics {

BestThreshold best_threshold(const CategoryJudgement& judgement) {
  BestThreshold best;
  const auto boxes = static_cast<double>(judgement.known_truth);
  const std::vector<Judged>& found = judgement.found;
  double right = 0, shown = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const bool counts = found[i].known && found[i].counts(all_areas, iou_50);
    if (counts) ++shown;
    if (counts && found[i].is_true(all_areas, iou_50)) ++right;
    const double next = i + 1 < found.size() ? found[i + 1].score : 0;
    const bool can_be_parted = i + 1 == found.size() || next < found[i].score;
    const double f1 = 2 * right / (shown + boxes);
    if (!can_be_parted || right == 0 || !(f1 > best.f1)) continue;
    best = {(found[i].score + next) / 2, f1, right / shown, right / boxes};
  }
  return best;
}

}  // namespace smearscope::metrics
