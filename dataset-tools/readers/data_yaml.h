// data.yaml of a YOLO data set (docs.ultralytics.com/datasets/detect): which folders are its parts, and the
// names of its classes. Of YAML what such files have: scalars, lists and maps of scalars, in lines or in
// brackets, with quotes and comments.
#pragma once

#include <string>
#include <vector>

#include "smearscope/error.h"

namespace smearscope::corpus {

constexpr std::size_t largest_data_yaml = 1 << 20;  // bytes

struct DataYaml {
  std::vector<std::string> train, val, test;  // folders, as they are written there
  std::vector<std::string> names;             // by number; "" where there is none
};

// Keys that aren't known are skipped. Throws Error, beginning with `where` and the line, if the text can't be
// understood.
DataYaml parse_data_yaml(const std::string& text, const std::string& where);

}  // namespace smearscope::corpus
