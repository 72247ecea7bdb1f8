// The label text of Chula RBC-12: a line "x y class" per cell, a point in pixels and a number from 0 to 12.
#pragma once

#include <opencv2/core/types.hpp>
#include <string>
#include <vector>

#include "corpus/records.h"
#include "smearscope/error.h"

namespace smearscope::corpus {

constexpr std::size_t largest_chula_file = 64 << 10;  // bytes; 139 cells, the most there are, take 2 kB

struct LabelledPoint {
  cv::Point2d at;     // inside the image
  std::string label;  // "0" to "12"
  std::string where;  // file and line
};

// The points, each once. Notes in `image` lines that can't be understood and points that are there twice; its
// width and height are set by then. `where` (the file's name) begins errors and notes. Throws Error if it
// isn't a text of numbers.
std::vector<LabelledPoint> parse_chula_labels(const std::string& text, const std::string& where,
                                              Image& image);

}  // namespace smearscope::corpus
