// COCO's figures (https://cocodataset.org/#detection-eval), as pycocotools' COCOeval computes them for boxes:
// precision at 101 recalls, made monotonous, mean over them; at most 100 detections of a category in an
// image.
#pragma once

#include "metrics/judgement.h"

namespace smearscope::metrics {

constexpr int recall_count = 101;                                     // 0, 0.01, ... 1
const std::array<double, recall_count>& recall_levels();              // to the last bit as NumPy's
constexpr std::array<std::uint32_t, 3> detection_limits{1, 10, 100};  // of a category in an image

// 0..1, or no_figure where there is no box to find. `ap` and all of `ar_` are means over the IoU thresholds.
struct CocoFigures {
  double ap = no_figure, ap50 = no_figure, ap75 = no_figure;
  double ap_small = no_figure, ap_medium = no_figure, ap_large = no_figure;
  double ar1 = no_figure, ar10 = no_figure, ar100 = no_figure;  // recall with 1, 10, 100 detections an image
  double ar_small = no_figure, ar_medium = no_figure, ar_large = no_figure;
};

// A figure with its name in files ("AP50"), its name for people, and its place.
struct CocoFigure {
  const char *key, *title;
  double CocoFigures::*value;
};
const std::array<CocoFigure, 12>& coco_figures();

// Highest precision at each recall level or above, and the lowest score needed; 0 where it isn't reached.
struct PrecisionRecall {
  std::array<double, recall_count> precision{}, score{};
};

// All areas, at most 100 detections; `iou` is a place in iou_thresholds(). Needs boxes that count.
PrecisionRecall precision_recall(const CategoryJudgement& judgement, int iou, AreaRange range = all_areas);

CocoFigures coco_figures_of(const CategoryJudgement& judgement);

// Means over those of `categories` that have the figure.
CocoFigures mean_of(const std::vector<CocoFigures>& categories);

}  // namespace smearscope::metrics
