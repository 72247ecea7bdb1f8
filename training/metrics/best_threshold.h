// Above which score to show cells of a category.
#pragma once

#include "metrics/judgement.h"

namespace smearscope::metrics {

struct BestThreshold {
  // Detections above it have the best F1; half-way between the lowest score that belongs to them and the next
  // below (or 0). no_figure without boxes or without a right detection.
  double threshold = no_figure;
  double f1 = no_figure, precision = no_figure, recall = no_figure;  // above it, at IoU 0.5
};

// Without images where the category is open: there, too few detections count as wrong. Of equally good
// thresholds the highest.
BestThreshold best_threshold(const CategoryJudgement& judgement);

}  // namespace smearscope::metrics
