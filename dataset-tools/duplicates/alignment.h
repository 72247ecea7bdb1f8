// Do two pictures show the same where they overlap?
#pragma once

#include <array>
#include <cstdint>
#include <opencv2/core/mat.hpp>

#include "duplicates/axis_map.h"

namespace smearscope::corpus {

// A picture's light and dark at low resolution, stretched to a square. Each pixel is relative to the mean and
// the spread of its neighbourhood: brightness, contrast and the one big cell in the middle of many pictures
// say nothing about whether two pictures are the same.
struct Miniature {
  static constexpr int side = 48;
  std::array<std::int8_t, std::size_t(side* side)> pixels{};  // 1/31 of the spread; all 0 in a blank picture

  float at(int x, int y) const { return pixels[std::size_t(y * side + x)]; }
};

// `grey`: the picture, 0..255, of any size.
Miniature miniature_of(const cv::Mat1f& grey);

// Correlation (-1..1) where `first` and `second` overlap if `to_second` takes the first to the second, at
// every third pixel, nearest neighbours: quick. 0 if they overlap by less than a quarter of the first.
double rough_correlation(const Miniature& first, const Miniature& second, const AxisMap& to_second);

struct Alignment {
  AxisMap to_second;
  double correlation = 0;                    // -1..1, where they overlap
  double share_first = 0, share_second = 0;  // of the pictures' areas, that the overlap has
};

// The best map near `guess`, which may be off by some hundredths of the sides: Gauss-Newton steps on the
// squared difference of the pictures (Lucas & Kanade, 1981), brought to one mean and contrast, first of
// blurred pictures.
Alignment align(const Miniature& first, const Miniature& second, const AxisMap& guess);

}  // namespace smearscope::corpus
