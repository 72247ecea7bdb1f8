#include "segmentation/stain.h"

#include <cmath>
#include <opencv2/core.hpp>

namespace smearscope::corpus {
namespace {

using Histogram = std::array<int, 256>;

// Smallest value that at least `share` of the counted pixels do not exceed.
int quantile(const Histogram& histogram, double share) {
  long total = 0;
  for (const int count : histogram) total += count;
  long seen = 0;
  for (int value = 0; value < 256; ++value) {
    seen += histogram[value];
    if (seen > 0 && seen >= share * total) return value;
  }
  return 255;
}

}  // namespace

std::array<double, 3> background_colour(const cv::Mat& rgb) {
  CV_Assert(rgb.type() == CV_8UC3 && !rgb.empty());
  Histogram green{};
  for (int y = 0; y < rgb.rows; ++y) {
    const cv::Vec3b* row = rgb.ptr<cv::Vec3b>(y);
    for (int x = 0; x < rgb.cols; ++x) ++green[row[x][1]];
  }
  // Green, as all cells absorb it. 4% is the noise and shading of the empty glass.
  const int bright = static_cast<int>(0.96 * quantile(green, 0.9));
  std::array<Histogram, 3> channels{};
  for (int y = 0; y < rgb.rows; ++y) {
    const cv::Vec3b* row = rgb.ptr<cv::Vec3b>(y);
    for (int x = 0; x < rgb.cols; ++x) {
      if (row[x][1] < bright) continue;
      for (int channel = 0; channel < 3; ++channel) ++channels[channel][row[x][channel]];
    }
  }
  return {double(quantile(channels[0], 0.5)), double(quantile(channels[1], 0.5)),
          double(quantile(channels[2], 0.5))};
}

std::array<cv::Mat, 3> optical_density(const cv::Mat& rgb, const std::array<double, 3>& background) {
  CV_Assert(rgb.type() == CV_8UC3);
  std::array<std::array<float, 256>, 3> table;
  for (int channel = 0; channel < 3; ++channel) {
    for (int value = 0; value < 256; ++value) {
      // One added to both, so that black is dense and not infinite.
      table[channel][value] = std::max(0.0F, float(-std::log((value + 1) / (background[channel] + 1))));
    }
  }
  std::array<cv::Mat, 3> density;
  for (cv::Mat& plane : density) plane.create(rgb.size(), CV_32F);
  for (int y = 0; y < rgb.rows; ++y) {
    const cv::Vec3b* row = rgb.ptr<cv::Vec3b>(y);
    for (int channel = 0; channel < 3; ++channel) {
      float* out = density[channel].ptr<float>(y);
      for (int x = 0; x < rgb.cols; ++x) out[x] = table[channel][row[x][channel]];
    }
  }
  return density;
}

}  // namespace smearscope::corpus
