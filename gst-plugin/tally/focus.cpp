#include "tally/focus.h"

#include <algorithm>
#include <opencv2/imgproc.hpp>

#include "detection/grey_samples.h"

namespace smearscope {
namespace {

constexpr int middle_width = 480, middle_height = 360;  // pixels looked at: a dozen cells or more
constexpr double least_deviation = 4;                   // of 255 grey levels; below it there is hardly a cell
constexpr double fading = 0.9995;                       // a frame: by half in some 46 s of 30 frames/s

cv::Mat middle_of(const Frame& frame) {
  const int width = std::min(frame.width, middle_width), height = std::min(frame.height, middle_height);
  const int left = (frame.width - width) / 2, top = (frame.height - height) / 2;
  const GreySamples samples = grey_samples(frame);
  cv::Mat middle(height, width, CV_32F);
  for (int y = 0; y < height; ++y) {
    const std::uint8_t* sample =
        samples.data + (top + y) * samples.stride + static_cast<std::ptrdiff_t>(left) * samples.pixel_bytes;
    auto* out = middle.ptr<float>(y);
    for (int x = 0; x < width; ++x, sample += samples.pixel_bytes) out[x] = *sample;
  }
  return middle;
}

}  // namespace

double sharpness_of(const Frame& frame) {
  cv::Mat middle = middle_of(frame), edges;
  cv::GaussianBlur(middle, middle, cv::Size(7, 7), 1.5);
  cv::Scalar mean, deviation;
  cv::meanStdDev(middle, mean, deviation);
  if (deviation[0] < least_deviation) return -1;
  cv::Laplacian(middle, edges, CV_32F);
  return edges.dot(edges) / static_cast<double>(edges.total()) / (deviation[0] * deviation[0]);
}

bool FocusGate::is_sharp(const Frame& frame, double least) {
  const double sharpness = sharpness_of(frame);
  best_ = std::max(best_ * fading, sharpness);
  return sharpness < 0 || sharpness >= least * best_;
}

}  // namespace smearscope
