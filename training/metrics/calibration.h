// Is a score of 0.9 right nine times of ten?
#pragma once

#include <cstddef>
#include <vector>

#include "metrics/judgement.h"

namespace smearscope::metrics {

constexpr std::size_t calibration_bins = 15;

// Detections by score; bin i holds scores above i / 15 up to (i + 1) / 15, the first also 0. A detection is
// right if it took a box of its category at IoU 0.5; those that count for nothing are left out (judgement.h),
// and all of a category in images where it is open: there, too few count as wrong.
struct Calibration {
  struct Bin {
    std::size_t found = 0, right = 0;
    double score_sum = 0;

    double mean_score() const { return score_sum / static_cast<double>(found); }  // of a bin that isn't empty
    double precision() const { return static_cast<double>(right) / static_cast<double>(found); }
  };
  std::array<Bin, calibration_bins> bins{};

  std::size_t found() const;
  // Expected calibration error (Guo et al., 2017): mean over detections of |mean score - precision| of
  // their bin. no_figure if there are none.
  double expected_error() const;
};

// Of detections with a score above `threshold`.
Calibration calibration_of(const CategoryJudgement& judgement, double threshold);

// That of all detections together.
Calibration sum_of(const std::vector<Calibration>& calibrations);

}  // namespace smearscope::metrics
