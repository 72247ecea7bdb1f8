#include "tally/focus.h"

#include <algorithm>
#include <functional>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "detection/grey_samples.h"

namespace smearscope {
namespace {

constexpr int middle_width = 480, middle_height = 360;  // pixels looked at: a dozen cells or more
constexpr double least_deviation = 4;                   // of 255 grey levels; below it there is hardly a cell
constexpr double fading = 0.9985;                       // a frame
constexpr std::size_t most_last = 9, sharpest = 3;

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

// The third sharpest of the last frames: so that one or two of noise say nothing.
bool FocusGate::is_sharp(const Frame& frame, double least) {
  const double sharpness = sharpness_of(frame);
  if (sharpness < 0) return true;
  last_.push_back(sharpness);
  if (last_.size() > most_last) last_.pop_front();
  std::vector<double> sorted(last_.begin(), last_.end());
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  const double typical = sorted[std::min(sorted.size(), sharpest) - 1];
  best_ *= fading;
  if (sorted.size() >= sharpest) best_ = std::max(best_, typical);
  return sharpness >= least * std::max(best_, typical);
}

void FocusGate::reset() {
  last_.clear();
  best_ = 0;
}

}  // namespace smearscope
