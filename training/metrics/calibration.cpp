#include "metrics/calibration.h"

#include <algorithm>
#include <cmath>

namespace smearscope::metrics {
namespace {

std::size_t bin_of(double score) {
  const double place = std::ceil(score * calibration_bins) - 1;
  return static_cast<std::size_t>(std::clamp(place, 0.0, calibration_bins - 1.0));
}

}  // namespace

std::size_t Calibration::found() const {
  std::size_t count = 0;
  for (const Bin& bin : bins) count += bin.found;
  return count;
}

double Calibration::expected_error() const {
  if (found() == 0) return no_figure;
  double error = 0;
  for (const Bin& bin : bins) error += std::abs(bin.score_sum - static_cast<double>(bin.right));
  return error / static_cast<double>(found());
}

Calibration calibration_of(const CategoryJudgement& judgement, double threshold) {
  Calibration calibration;
  for (const Judged& judged : judgement.found) {
    if (!(judged.score > threshold) || !judged.known || !judged.counts(all_areas, iou_50)) continue;
    Calibration::Bin& bin = calibration.bins[bin_of(judged.score)];
    ++bin.found;
    bin.right += judged.is_true(all_areas, iou_50) ? 1 : 0;
    bin.score_sum += judged.score;
  }
  return calibration;
}

Calibration sum_of(const std::vector<Calibration>& calibrations) {
  Calibration sum;
  for (const Calibration& one : calibrations) {
    for (std::size_t i = 0; i < calibration_bins; ++i) {
      sum.bins[i].found += one.bins[i].found;
      sum.bins[i].right += one.bins[i].right;
      sum.bins[i].score_sum += one.bins[i].score_sum;
    }
  }
  return sum;
}

}  // namespace smearscope::metrics
