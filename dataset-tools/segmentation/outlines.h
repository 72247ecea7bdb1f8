// Outlines of upright rectangles in what a pen drew: which may be there, and which explain the drawing best.
#pragma once

#include <opencv2/core.hpp>
#include <vector>

#include "corpus/records.h"
#include "segmentation/strokes.h"

namespace smearscope::corpus {

// One side of an outline: columns or rows [lo, hi). Of no width where the side isn't seen, because it lies
// outside the picture or in what is as dark as the pen; then it is where the others go out of sight.
struct Side {
  int lo = 0, hi = 0;
  bool is_seen() const { return hi > lo; }
};

struct Outline {
  Side left, right, top, bottom;

  cv::Rect outer() const { return {{left.lo, top.lo}, cv::Point(right.hi, bottom.hi)}; }
  cv::Rect inner() const { return {{left.hi, top.hi}, cv::Point(right.lo, bottom.lo)}; }
};

// Every outline with its four sides on strokes: `rows` along x in the picture of `size` pixels with `sums`,
// `columns` along x in the transposed picture with `transposed`. Throws Error if there are so many that this
// is no drawing of rectangles.
std::vector<Outline> possible_outlines(const std::vector<Stroke>& columns, const std::vector<Stroke>& rows,
                                       const PenLines& transposed, const PenLines& sums, cv::Size size);

// The fewest of `possible` outlines that explain the drawing: those that together cover the most evidence,
// with a price on each outline and on whatever is covered twice.
std::vector<Outline> best_cover(const std::vector<Outline>& possible, const PenLines& sums);

// The middle lines of the pen of outlines that belong together (best_cover), in continuous coordinates of the
// pictures that were compared, to a part of a pixel where other strokes leave enough of a side free. `copy`
// and `picture` are those that `pen` is the evidence of.
std::vector<Box> middle_lines(std::vector<Outline> outlines, const PenEvidence& pen, const cv::Mat1b& copy,
                              const cv::Mat1b& picture);

}  // namespace smearscope::corpus
