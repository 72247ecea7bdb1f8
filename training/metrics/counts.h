// Is the number of cells right? A smear is read as counts, and errors of single boxes may cancel out there.
#pragma once

#include <cstddef>
#include <vector>

#include "metrics/judgement.h"

namespace smearscope::metrics {

// Cells of one category in one image. Its error is found - truth.
struct Count {
  bool known = true;  // false: with Labels::as_told, where the category is open in the image
  std::size_t truth = 0, found = 0;
};

// By category and image. Detections with a score above `threshold` are counted, but for those that count for
// nothing at IoU 0.5 (judgement.h).
std::vector<std::vector<Count>> counts_of(const Data& data, const std::vector<CategoryJudgement>& judgements,
                                          Labels labels, double threshold);

struct CountErrors {
  std::size_t images = 0;            // where the count is known; what follows is over these
  std::size_t truth = 0, found = 0;  // totals
  double mean_error = 0;             // cells an image; positive: too many are found
  double mean_absolute_error = 0;
  double relative_error_of_total = 0;  // (found - truth) / truth; meaningless without truth
};

// Of one category.
CountErrors errors_of(const std::vector<Count>& counts);

}  // namespace smearscope::metrics
