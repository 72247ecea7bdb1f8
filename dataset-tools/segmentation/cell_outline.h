// The outline of one cell among others that touch or overlap it.
#pragma once

#include <array>
#include <opencv2/core.hpp>
#include <vector>

#include "corpus/records.h"

namespace smearscope::corpus {

// As seen from a place in the cell: how far away the outline is, in directions all around.
struct Outline {
  static constexpr int rays = 64;  // ray k leads to the angle 2 pi k / rays, from x towards y

  cv::Point2d centre;               // pixels, continuous coordinates
  std::array<double, rays> radius;  // pixels

  Box box() const;  // may reach outside the picture, where the cell does
  bool holds(cv::Point2d point) const;
  cv::Point2d centroid() const;
  std::vector<cv::Point> corners(double grow = 0) const;  // pixels, of the outline moved outwards by `grow`
};

// Leaving a cell, light gets stronger, whatever lies beyond: background, or only one cell where two
// overlapped. So the outline is the closed path around a place inside on which contrast falls most, found
// by dynamic programming in polar coordinates; it is smooth, about as large as a cell, and leaves the other
// cells' points outside. Cells that are not star-shaped (seen from their middle) are cut short.
//
// One thread works on one of these; it allocates once.
class OutlineFinder {
 public:
  // `contrast` and `mask` as of find_foreground, with pallor filled; `diameter` of a typical cell, pixels.
  OutlineFinder(const cv::Mat1f& contrast, const cv::Mat1b& mask, double diameter);

  // Around the cell that holds `place`, a point in the picture; `others` are in other cells.
  Outline find(cv::Point2d place, const std::vector<cv::Point2d>& others);

 private:
  Outline trace(cv::Point2d place, const std::vector<cv::Point2d>& others);
  void take_costs(cv::Point place);
  void avoid(cv::Point2d from, cv::Point2d other);
  std::array<int, Outline::rays> cheapest_path();

  const cv::Mat1f contrast_;
  const cv::Mat1b mask_;
  double step_;                    // pixels between samples of a ray
  std::vector<cv::Point> offset_;  // [ray][sample] from the place inside, pixels
  std::vector<float> cost_;        // [ray][step], with room for jumps on both sides
  std::vector<float> sum_;         // of the cheapest path to [ray][step], twice around
};

}  // namespace smearscope::corpus
