// Straight strokes of a pen, along the rows of a picture (and along its columns, if it is transposed).
#pragma once

#include <opencv2/core.hpp>
#include <vector>

#include "segmentation/pen.h"

namespace smearscope::corpus {

// Sums over upright rectangles of a matrix, each in constant time.
class RectangleSums {
 public:
  explicit RectangleSums(const cv::Mat& values);  // 8-bit unsigned or 16-bit signed
  RectangleSums transposed() const;               // those of the transposed matrix; shares memory with this
  // Of the part of [x_min, x_max) x [y_min, y_max) that is inside the matrix.
  int sum(int x_min, int y_min, int x_max, int y_max) const;

 private:
  cv::Mat1i sums_;  // [height + 1, width + 1]: of what is above and to the left
  bool is_transposed_ = false;
};

// The evidence as the search for strokes along x sees it.
struct PenLines {
  cv::Mat1b lines;  // 1: on a line along x
  RectangleSums evidence, unknown;
  RectangleSums ink;  // without the gaps and specks that noise makes along x
};

PenLines lines_along_rows(const PenEvidence& pen);
PenLines lines_along_columns(const PenEvidence& pen, const PenLines& rows);  // all of it transposed

// A stroke along x covers y in [lo, hi) and x in [from, to). Its ends may lie in what is unknown; at both
// ends of [seen_from, seen_to) there is ink.
struct Stroke {
  int lo = 0, hi = 0;
  int from = 0, to = 0;
  int seen_from = 0, seen_to = 0;

  int width() const { return hi - lo; }
};

constexpr int widest_pen = 9;  // pixels; OpenCV draws 7 for a pen of 6, and half-covered pixels add one

// Widths (pixels) that many strokes of the picture have: one, where the pen was always the same and drew
// whole pixels.
std::vector<int> usual_widths(const PenLines& rows, const PenLines& columns);

// All strokes along x. Where strokes lie side by side as one thick band, each that may be the outermost of
// them: flush with an edge of the band, of a usual width.
std::vector<Stroke> find_strokes(const PenLines& lines, const std::vector<int>& usual_widths);

}  // namespace smearscope::corpus
