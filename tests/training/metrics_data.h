// Small data sets for tests of metrics.
#pragma once

#include "metrics/evaluation.h"

namespace smearscope::testing {

using namespace metrics;

// A square of `side` pixels with its corner at x, 0.
inline Box square(double x, double side = 10) {
  return {x, 0, side, side};
}
// Overlaps square(x) with an IoU of exactly `iou`.
inline Box part_of(double x, double iou) {
  return {x, 0, 10 * iou, 10};
}
inline TruthBox truth(const Box& box, int category = 0) {
  return {box, category, box.area(), false};
}
inline TruthBox crowd(const Box& box, int category = 0) {
  return {box, category, box.area(), true};
}
inline FoundBox found(const Box& box, double score, int category = 0) {
  return {box, category, score};
}

// Categories named "0", "1", ... without parents.
inline Data data_of(std::vector<Image> images, int categories = 1) {
  Data data;
  for (int i = 0; i < categories; ++i) data.categories.push_back({std::to_string(i), -1, true});
  data.images = std::move(images);
  return data;
}
inline Image image_of(std::vector<TruthBox> truth, std::vector<FoundBox> found) {
  return {std::move(truth), std::move(found), {}, {}};
}

inline Figures figures_of(const Data& data, Labels labels = Labels::as_complete) {
  return evaluate(data, labels, 0.5);
}

}  // namespace smearscope::testing
