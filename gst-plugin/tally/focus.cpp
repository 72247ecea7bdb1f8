#include "tally/focus.h"

#include <algorithm>
#include <functional>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "detection/grey_samples.h"

namespace smearscope {
namespace {

constexpr int middle_width = 480, middle_height = 360;  // pixels looked at: a dozen cells or more
constexpr double least_contrast = 4;                    // below it there is hardly a cell
constexpr double faint = 0.06;  // share of the sharpest frame's edges, in grey levels: noise has about 0.03
constexpr double fading = 0.9985;  // a frame
constexpr std::size_t most_last = 15, sharpest = 5;

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

// The grey level that a tenth of the pixels lie above, by every 16th of them.
int background_of(const cv::Mat& middle) {
  std::vector<float> levels;
  for (int y = 0; y < middle.rows; y += 4) {
    for (int x = 0; x < middle.cols; x += 4) levels.push_back(middle.at<float>(y, x));
  }
  const auto tenth = levels.end() - 1 - static_cast<std::ptrdiff_t>(levels.size() / 10);
  std::nth_element(levels.begin(), tenth, levels.end());
  return static_cast<int>(*tenth);
}

// The fifth largest of the last values, or of fewer the smallest.
template <typename Value>
double typical(const std::deque<Sharpness>& last, Value value) {
  std::vector<double> values;
  for (const Sharpness& sharpness : last) values.push_back(value(sharpness));
  std::sort(values.begin(), values.end(), std::greater<>());
  return values[std::min(values.size(), sharpest) - 1];
}

}  // namespace

Sharpness sharpness_of(const Frame& frame) {
  cv::Mat middle = middle_of(frame), edges;
  cv::GaussianBlur(middle, middle, cv::Size(7, 7), 1.5);
  cv::Scalar mean, deviation;
  cv::meanStdDev(middle, mean, deviation);
  const int background = background_of(middle);
  cv::Laplacian(middle, edges, CV_32F);
  const double energy = edges.dot(edges) / static_cast<double>(edges.total());
  const double variance = deviation[0] * deviation[0];
  return {variance > 0 ? energy / variance : 0, energy, deviation[0], background};
}

Focus FocusGate::judge(const Sharpness& now, double least) {
  if (least == 0) return Focus::sharp;
  best_edges_ *= fading;
  best_energy_ *= fading;
  if (now.contrast < least_contrast) return Focus::blank;
  last_.push_back(now);
  if (last_.size() > most_last) last_.pop_front();
  const double edges = typical(last_, [](const Sharpness&s) { return s.edges; }),
               energy = typical(last_, [](const Sharpness&s) { return s.energy; });
  if (last_.size() >= sharpest) {
    best_edges_ = std::max(best_edges_, edges);
    best_energy_ = std::max(best_energy_, energy);
  }
  const bool blurred =
      now.edges < least * std::max(best_edges_, edges) || now.energy < faint * std::max(best_energy_, energy);
  return blurred ? Focus::blurred : Focus::sharp;
}

void FocusGate::reset() {
  last_.clear();
  best_edges_ = best_energy_ = 0;
}

}  // namespace smearscope
