// All figures of one set of detections.
#pragma once

#include <vector>

#include "metrics/average_precision.h"
#include "metrics/best_threshold.h"
#include "metrics/calibration.h"
#include "metrics/confusion.h"
#include "metrics/counts.h"

namespace smearscope::metrics {

struct CategoryFigures {
  std::size_t images = 0, boxes = 0;  // boxes that count, and images with such
  std::size_t found = 0;              // detections, of any score
  CocoFigures coco;
  PrecisionRecall at_50, at_75;  // empty (zeros) without boxes
  std::vector<Count> counts;     // by image
  CountErrors count_errors;
  Calibration calibration, calibration_shown;  // of all detections; of those above the count threshold
  BestThreshold best;
};

struct Figures {
  CocoFigures coco;  // means over the categories that are evaluated and have boxes
  Calibration calibration, calibration_shown;
  std::vector<CategoryFigures> categories;  // as Data::categories; without figures where not evaluated
  Confusion confusion{0};
};

// `count_threshold`: a detection with a score above it is a cell in confusion matrix and counts.
Figures evaluate(const Data& data, Labels labels, double count_threshold);

}  // namespace smearscope::metrics
