#include "metrics/counts.h"

#include <algorithm>
#include <cmath>

namespace smearscope::metrics {

std::vector<std::vector<Count>> counts_of(const Data& data, const std::vector<CategoryJudgement>& judgements,
                                          Labels labels, double threshold) {
  std::vector<std::vector<Count>> counts(data.categories.size(), std::vector<Count>(data.images.size()));
  for (std::size_t i = 0; i < data.images.size(); ++i) {
    for (const TruthBox& box : data.images[i].truth) {
      if (!box.crowd && is_in(all_areas, box.area)) ++counts[static_cast<std::size_t>(box.category)][i].truth;
    }
    if (labels == Labels::as_complete) continue;
    for (const int category : data.images[i].open)
      counts[static_cast<std::size_t>(category)][i].known = false;
  }
  for (std::size_t c = 0; c < judgements.size(); ++c) {
    for (const Judged& judged : judgements[c].found) {
      if (judged.score > threshold && judged.counts(all_areas, iou_50)) ++counts[c][judged.image].found;
    }
  }
  return counts;
}

CountErrors errors_of(const std::vector<Count>& counts) {
  CountErrors errors;
  double sum = 0, absolute_sum = 0;
  for (const Count& count : counts) {
    if (!count.known) continue;
    const double error = static_cast<double>(count.found) - static_cast<double>(count.truth);
    ++errors.images;
    errors.truth += count.truth;
    errors.found += count.found;
    sum += error;
    absolute_sum += std::abs(error);
  }
  const auto images = static_cast<double>(std::max<std::size_t>(errors.images, 1));
  errors.mean_error = sum / images;
  errors.mean_absolute_error = absolute_sum / images;
  if (errors.truth > 0) errors.relative_error_of_total = sum / static_cast<double>(errors.truth);
  return errors;
}

}  // namespace smearscope::metrics
