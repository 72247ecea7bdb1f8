#include "segmentation/drawn_rectangles.h"

#include <algorithm>
#include <opencv2/imgproc.hpp>

#include "segmentation/alignment.h"
#include "segmentation/outlines.h"
#include "segmentation/pen.h"
#include "segmentation/strokes.h"

namespace smearscope::corpus {
namespace {

cv::Mat1b grey(const cv::Mat& rgb) {
  cv::Mat1b result;
  cv::cvtColor(rgb, result, cv::COLOR_RGB2GRAY);
  return result;
}

}  // namespace

std::vector<Box> find_drawn_rectangles(const cv::Mat& labelled, const cv::Mat& unlabelled) {
  const AlignedCopy aligned = align_copy(grey(labelled), grey(unlabelled));
  const PenEvidence pen = pen_evidence(aligned.copy, aligned.picture);
  if (pen.evidence.empty()) return {};
  const PenLines rows = lines_along_rows(pen), columns = lines_along_columns(pen, rows);
  const std::vector<int> widths = usual_widths(rows, columns);
  const std::vector<Outline> possible = possible_outlines(
      find_strokes(columns, widths), find_strokes(rows, widths), columns, rows, pen.ink.size());
  const std::vector<Outline> outlines = best_cover(possible, rows);
  std::vector<Box> boxes = middle_lines(outlines, pen, aligned.copy, aligned.picture);
  for (Box& box : boxes) {
    box = {aligned.scale_x * box.x_min + aligned.shift_x, aligned.scale_y * box.y_min + aligned.shift_y,
           aligned.scale_x * box.x_max + aligned.shift_x, aligned.scale_y * box.y_max + aligned.shift_y};
  }
  std::sort(boxes.begin(), boxes.end(), [](const Box& a, const Box& b) {
    return a.y_min != b.y_min ? a.y_min < b.y_min : a.x_min < b.x_min;
  });
  return boxes;
}

}  // namespace smearscope::corpus
