#include "metrics/evaluation.h"

namespace smearscope::metrics {
namespace {

CategoryFigures figures_of(const CategoryJudgement& judgement, const std::vector<Count>& counts,
                           double count_threshold) {
  CategoryFigures figures;
  figures.images = judgement.images;
  figures.boxes = judgement.truth[all_areas];
  figures.found = judgement.found.size();
  figures.coco = coco_figures_of(judgement);
  if (figures.boxes > 0) {
    figures.at_50 = precision_recall(judgement, iou_50);
    figures.at_75 = precision_recall(judgement, iou_75);
  }
  figures.counts = counts;
  figures.count_errors = errors_of(counts);
  constexpr double below_any = -1;
  figures.calibration = calibration_of(judgement, below_any);
  figures.calibration_shown = calibration_of(judgement, count_threshold);
  figures.best = best_threshold(judgement);
  return figures;
}

}  // namespace

Figures evaluate(const Data& data, Labels labels, double count_threshold) {
  const std::vector<CategoryJudgement> judgements = judge(data, labels);
  const std::vector<std::vector<Count>> counts = counts_of(data, judgements, labels, count_threshold);
  Figures figures;
  figures.categories.resize(data.categories.size());
  std::vector<CocoFigures> coco;
  std::vector<Calibration> calibrations, calibrations_shown;
  for (std::size_t c = 0; c < judgements.size(); ++c) {
    CategoryFigures& of_category = figures.categories[c];
    if (!data.categories[c].evaluated) {
      of_category.images = judgements[c].images;
      of_category.boxes = judgements[c].truth[all_areas];
      continue;
    }
    of_category = figures_of(judgements[c], counts[c], count_threshold);
    coco.push_back(of_category.coco);
    calibrations.push_back(of_category.calibration);
    calibrations_shown.push_back(of_category.calibration_shown);
  }
  figures.coco = mean_of(coco);
  figures.calibration = sum_of(calibrations);
  figures.calibration_shown = sum_of(calibrations_shown);
  figures.confusion = confusion_of(data, labels, count_threshold);
  return figures;
}

}  // namespace smearscope::metrics
