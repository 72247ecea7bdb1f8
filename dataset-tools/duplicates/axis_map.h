// Maps between pictures that were stretched, cropped, mirrored and turned by right angles.
#pragma once

#include <opencv2/core/types.hpp>

namespace smearscope::corpus {

struct Axis {
  float scale = 1, offset = 0;  // scale is not 0

  float at(float value) const { return scale * value + offset; }
  Axis inverse() const { return {1 / scale, -offset / scale}; }
};

// (u, v) -> (x.at(u), y.at(v)); if it swaps the axes, (x.at(v), y.at(u)).
struct AxisMap {
  bool swap = false;
  Axis x, y;

  cv::Point2f at(cv::Point2f p) const {
    return swap ? cv::Point2f(x.at(p.y), y.at(p.x)) : cv::Point2f(x.at(p.x), y.at(p.y));
  }
  AxisMap inverse() const {
    return swap ? AxisMap{true, y.inverse(), x.inverse()} : AxisMap{false, x.inverse(), y.inverse()};
  }
};

}  // namespace smearscope::corpus
