#include "metrics/counts.h"

#include <algorithm>
#include <cmath>

namespace smearscope::metrics {
namespace {

// By image.
std::vector<std::size_t> found_in(const CategoryJudgement& judgement, std::size_t images, double threshold) {
  std::vector<std::size_t> counts(images);
  for (const Judged& judged : judgement.found) {
    if (judged.score > threshold && judged.counts(all_areas, iou_50)) ++counts[judged.image];
  }
  return counts;
}

std::size_t truth_in(const Image& image, int category) {
  return static_cast<std::size_t>(
      std::count_if(image.truth.begin(), image.truth.end(), [&](const TruthBox& box) {
        return box.category == category && !box.crowd && is_in(all_areas, box.area);
      }));
}

}  // namespace

std::vector<CountErrors> count_errors(const Data& data, const std::vector<CategoryJudgement>& judgements,
                                      Labels labels, double threshold) {
  std::vector<CountErrors> errors(data.categories.size());
  for (std::size_t c = 0; c < errors.size(); ++c) {
    CountErrors& of_category = errors[c];
    const int category = static_cast<int>(c);
    const std::vector<std::size_t> found = found_in(judgements[c], data.images.size(), threshold);
    double sum = 0, absolute_sum = 0;
    for (std::size_t i = 0; i < data.images.size(); ++i) {
      const std::vector<int>& open = data.images[i].open;
      if (labels == Labels::as_told && std::binary_search(open.begin(), open.end(), category)) continue;
      const std::size_t truth = truth_in(data.images[i], category);
      const double error = static_cast<double>(found[i]) - static_cast<double>(truth);
      ++of_category.images;
      of_category.truth += truth;
      of_category.found += found[i];
      sum += error;
      absolute_sum += std::abs(error);
    }
    const auto images = static_cast<double>(std::max<std::size_t>(of_category.images, 1));
    of_category.mean_error = sum / images;
    of_category.mean_absolute_error = absolute_sum / images;
    if (of_category.truth > 0)
      of_category.relative_error_of_total = sum / static_cast<double>(of_category.truth);
  }
  return errors;
}

}  // namespace smearscope::metrics
