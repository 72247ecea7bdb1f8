// Maps between pictures that were stretched, cropped, mirrored and turned by right angles.
#pragma once

#include <opencv2/core/matx.hpp>
#include <opencv2/core/types.hpp>

namespace smearscope::corpus {

struct Axis {
  double scale = 1, offset = 0;  // scale is not 0

  double at(double value) const { return scale * value + offset; }
};

// (u, v) -> (x.at(u), y.at(v)); if it swaps the axes, (x.at(v), y.at(u)). Coordinates are shares of the
// pictures' sides: the whole picture is 0, 0, 1, 1.
struct AxisMap {
  bool swap = false;
  Axis x, y;

  cv::Point2d at(cv::Point2d p) const {
    return swap ? cv::Point2d(x.at(p.y), y.at(p.x)) : cv::Point2d(x.at(p.x), y.at(p.y));
  }
  // How much larger a part of the other picture is than it was of this one.
  double area() const { return std::abs(x.scale * y.scale); }
  // The same from pixels to pixels.
  cv::Matx23d in_pixels(cv::Size2d from, cv::Size2d to) const {
    const double ax = x.scale * to.width, ay = y.scale * to.height;
    const double bx = x.offset * to.width, by = y.offset * to.height;
    if (swap) return {0, ax / from.height, bx, ay / from.width, 0, by};
    return {ax / from.width, 0, bx, 0, ay / from.height, by};
  }
};

}  // namespace smearscope::corpus
