#include "metrics/average_precision.h"

#include <algorithm>
#include <limits>

namespace smearscope::metrics {
namespace {

double mean_precision(const PrecisionRecall& curve) {
  double sum = 0;
  for (const double precision : curve.precision) sum += precision;
  return sum / recall_count;
}

// By IoU threshold; no_figure where there is nothing to find.
std::array<double, iou_count> precisions(const CategoryJudgement& judgement, AreaRange range) {
  std::array<double, iou_count> values{};
  for (int iou = 0; iou < iou_count; ++iou) {
    values[static_cast<std::size_t>(iou)] =
        judgement.truth[range] == 0 ? no_figure : mean_precision(precision_recall(judgement, iou, range));
  }
  return values;
}

double mean(const std::array<double, iou_count>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / iou_count;
}

double mean_recall(const CategoryJudgement& judgement, AreaRange range, std::uint32_t limit) {
  if (judgement.truth[range] == 0) return no_figure;
  std::size_t right = 0;  // over all thresholds
  for (const Judged& judged : judgement.found) {
    if (judged.rank >= limit) continue;
    for (int iou = 0; iou < iou_count; ++iou) right += judged.is_true(range, iou) ? 1 : 0;
  }
  return static_cast<double>(right) / (static_cast<double>(judgement.truth[range]) * iou_count);
}

}  // namespace

const std::array<double, recall_count>& recall_levels() {
  static const std::array<double, recall_count> levels = [] {
    std::array<double, recall_count> values{};
    for (int i = 0; i < recall_count; ++i) values[static_cast<std::size_t>(i)] = i * 0.01;
    values.back() = 1;
    return values;
  }();
  return levels;
}

const std::array<CocoFigure, 12>& coco_figures() {
  static const std::array<CocoFigure, 12> figures{{
      {"AP", "mAP (IoU .50:.95)", &CocoFigures::ap},
      {"AP50", "mAP@.50", &CocoFigures::ap50},
      {"AP75", "mAP@.75", &CocoFigures::ap75},
      {"APsmall", "mAP (small objects)", &CocoFigures::ap_small},
      {"APmedium", "mAP (medium objects)", &CocoFigures::ap_medium},
      {"APlarge", "mAP (large objects)", &CocoFigures::ap_large},
      {"AR1", "mAR (1 detection)", &CocoFigures::ar1},
      {"AR10", "mAR (10 detections)", &CocoFigures::ar10},
      {"AR100", "mAR (100 detections)", &CocoFigures::ar100},
      {"ARsmall", "mAR (small objects)", &CocoFigures::ar_small},
      {"ARmedium", "mAR (medium objects)", &CocoFigures::ar_medium},
      {"ARlarge", "mAR (large objects)", &CocoFigures::ar_large},
  }};
  return figures;
}

PrecisionRecall precision_recall(const CategoryJudgement& judgement, int iou, AreaRange range) {
  // After each detection, best score first.
  const std::size_t boxes = judgement.truth[range];
  std::vector<double> precision, recall, score;
  std::size_t right = 0, wrong = 0;
  for (const Judged& judged : judgement.found) {
    if (judged.rank >= detection_limits.back()) continue;
    if (judged.counts(range, iou)) ++(judged.is_true(range, iou) ? right : wrong);
    // numpy.spacing(1): detections that count for nothing come before any that does.
    const double all = static_cast<double>(right + wrong) + std::numeric_limits<double>::epsilon();
    precision.push_back(static_cast<double>(right) / all);
    recall.push_back(static_cast<double>(right) / static_cast<double>(boxes));
    score.push_back(judged.score);
  }
  for (std::size_t i = precision.size(); i > 1; --i)
    precision[i - 2] = std::max(precision[i - 2], precision[i - 1]);
  PrecisionRecall curve;
  std::size_t at = 0;
  for (std::size_t level = 0; level < recall_count; ++level) {
    while (at < recall.size() && recall[at] < recall_levels()[level]) ++at;
    if (at == recall.size()) break;
    curve.precision[level] = precision[at];
    curve.score[level] = score[at];
  }
  return curve;
}

CocoFigures coco_figures_of(const CategoryJudgement& judgement) {
  CocoFigures figures;
  const std::array<double, iou_count> all = precisions(judgement, all_areas);
  figures.ap = mean(all);
  figures.ap50 = all[iou_50];
  figures.ap75 = all[iou_75];
  figures.ap_small = mean(precisions(judgement, small_area));
  figures.ap_medium = mean(precisions(judgement, medium_area));
  figures.ap_large = mean(precisions(judgement, large_area));
  figures.ar1 = mean_recall(judgement, all_areas, detection_limits[0]);
  figures.ar10 = mean_recall(judgement, all_areas, detection_limits[1]);
  figures.ar100 = mean_recall(judgement, all_areas, detection_limits[2]);
  figures.ar_small = mean_recall(judgement, small_area, detection_limits[2]);
  figures.ar_medium = mean_recall(judgement, medium_area, detection_limits[2]);
  figures.ar_large = mean_recall(judgement, large_area, detection_limits[2]);
  return figures;
}

CocoFigures mean_of(const std::vector<CocoFigures>& categories) {
  CocoFigures means;
  for (const CocoFigure& figure : coco_figures()) {
    double sum = 0;
    std::size_t count = 0;
    for (const CocoFigures& of_category : categories) {
      const double value = of_category.*figure.value;
      if (value == no_figure) continue;
      sum += value;
      ++count;
    }
    if (count > 0) means.*figure.value = sum / static_cast<double>(count);
  }
  return means;
}

}  // namespace smearscope::metrics
