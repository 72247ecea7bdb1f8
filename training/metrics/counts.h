// Is the number of cells right? A smear is read as counts, and errors of single boxes may cancel out there.
#pragma once

#include <cstddef>
#include <vector>

#include "metrics/judgement.h"

namespace smearscope::metrics {

// Of one category; an image's error is cells found - boxes that count.
struct CountErrors {
  std::size_t images = 0;            // that were counted
  std::size_t truth = 0, found = 0;  // over these images
  double mean_error = 0;             // cells an image
  double mean_absolute_error = 0;
  // (found - truth) / truth: positive, too many are found. Meaningless without truth.
  double relative_error_of_total = 0;
};

// By category. Detections with a score above `threshold` are counted, but for those that count for nothing at
// IoU 0.5 (judgement.h). With Labels::as_told images where a category is open are left out of its errors.
std::vector<CountErrors> count_errors(const Data& data, const std::vector<CategoryJudgement>& judgements,
                                      Labels labels, double threshold);

}  // namespace smearscope::metrics
