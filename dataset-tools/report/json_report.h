// Statistics as JSON, for programs.
#pragma once

#include <string>

#include "report/statistics.h"

namespace smearscope::corpus {

// One object: `classes` (name, parent), `total` and `sources` (images, boxes, per-class counts, box sides and
// completeness, pixel sizes, changes, files left out), `parts`. Quantiles are given as [5 %, 50 %, 95 %].
std::string json_report(const Statistics& statistics);

}  // namespace smearscope::corpus
