// Which detection is which labelled cell, whatever the classes say: where a model is right, what it confuses,
// misses, or sees where nothing is.
#pragma once

#include <vector>

#include "metrics/boxes.h"

namespace smearscope::metrics {

struct Pair {
  const TruthBox* truth = nullptr;  // null: nothing is there
  const FoundBox* found = nullptr;  // null: the cell was missed
};

// Detections with a score above `threshold`: best score first (ties as they come), a detection takes the box
// that it overlaps most, by an IoU of at least 0.5, whatever its category (of equals one of its own category,
// then the first). What took none is found in the background, unless it overlaps a crowd, or with
// Labels::as_told may be an unlabelled cell (completeness.h): then it counts for nothing and is in no pair.
// Crowds are no truth. Pairs point into `image`: those with a detection by its score, then the missed boxes.
std::vector<Pair> pairs_of(const Image& image, Labels labels, double threshold);

}  // namespace smearscope::metrics
