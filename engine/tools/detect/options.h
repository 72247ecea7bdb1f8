// Command line of smearscope-detect.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "smearscope/detector.h"

namespace smearscope::detect {

// A mistake in the command line, not in a file.
struct UsageError : Error {
  using Error::Error;
};

struct Options {
  std::string model = default_model;
  std::optional<double> score_threshold, nms_threshold;  // 0..1; else the model's own
  Naming naming;
  std::optional<int> max_detections;
  std::vector<std::string> classes;  // empty: all
  DetectorOptions detector{Device::cpu(), Precision::automatic};
  std::string coco_results, coco_images, annotated, csv;  // empty: not asked for
  std::vector<std::string> inputs;
  bool help = false, version = false;
};

extern const char* const help_text;

// `words`: the command line without the program's name. Throws UsageError.
Options parse_options(const std::vector<std::string>& words);

}  // namespace smearscope::detect
