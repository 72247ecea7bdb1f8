// The figures of "Generalizable Blood Cell Detection via Unified Dataset and Faster R-CNN", to stand beside
// ours. R1: random start; R2: weights of COCO. Both were measured on the paper's own split of its own corpus.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "metrics/average_precision.h"

namespace smearscope::training::paper {

struct Pair {
  double r1 = 0, r2 = 0;
};

// Table III; none for what the paper doesn't report.
std::optional<Pair> figure(double metrics::CocoFigures::*which);

// Table IV. The text calls its scores mAP@.50, but their means over the paper's 25 classes (the 24 here and
// wbc, of which the text says 0) are just its mAPs (IoU .50:.95), 0.2618 and 0.2832: they are that.
struct ClassScore {
  const char* name;  // as in dataset-tools/taxonomies/paper.toml
  Pair ap;
};
extern const std::array<ClassScore, 25> class_scores;
const ClassScore* class_score(const std::string& name);  // null: the paper has no such class

// Table V.
struct RareClass {
  const char* name;
  std::size_t boxes;
  double r2;
};
extern const std::array<RareClass, 5> rare_classes;
const RareClass* rare_class(const std::string& name);

// Tables VI and VII.
struct EpochLosses {
  std::size_t epoch;
  Pair training, validation;
};
extern const std::array<EpochLosses, 6> losses;

}  // namespace smearscope::training::paper
