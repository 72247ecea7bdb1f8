// What was measured, on what, and how: all that a report says.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "evaluate/corpus_part.h"
#include "metrics/evaluation.h"
#include "smearscope/model.h"

namespace smearscope::training {

struct Measured {
  std::string corpus;         // folder, as given
  std::string corpus_digest;  // "" if not asked for
  const CorpusPart* part = nullptr;
  std::shared_ptr<const Model> model;          // null: detections came from a file
  std::string detections;                      // that file
  std::string through;                         // "engine", "libtorch"
  std::string precision;                       // "f32", "int8", ...
  Thresholds thresholds;                       // of the model's run
  double count_threshold = 0;                  // above it a detection is counted as a cell
  std::vector<std::string> unknown_to_corpus;  // classes of the model, left out
  metrics::Figures as_complete, as_told;

  bool labels_matter() const;  // do the two differ in any of coco_figures()?
};

}  // namespace smearscope::training
