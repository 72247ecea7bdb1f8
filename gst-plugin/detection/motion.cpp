#include "detection/motion.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

namespace smearscope {
namespace {

constexpr int small_side = 160;    // longer side of the small copy: some 0.5 ms per frame
constexpr int smallest_side = 32;  // below this there is too little picture to correlate

// Where a frame's brightness lies: luma, or green, in which stained cells have the most contrast.
struct GreySamples {
  const std::uint8_t* data;
  std::ptrdiff_t stride;
  int pixel_bytes;
};

GreySamples grey_samples(const Frame& frame) {
  const Plane& plane = frame.planes[0];
  switch (frame.format) {
    case PixelFormat::rgb:
    case PixelFormat::bgr:
      return {plane.data + 1, plane.stride, 3};
    case PixelFormat::rgba:
    case PixelFormat::bgra:
      return {plane.data + 1, plane.stride, 4};
    case PixelFormat::gray8:
    case PixelFormat::nv12:
    case PixelFormat::i420:
      break;
  }
  return {plane.data, plane.stride, 1};
}

int small_factor(const Frame& frame) {
  return std::max(1, (std::max(frame.width, frame.height) + small_side - 1) / small_side);
}

// Means of factor x factor blocks.
void shrink(const Frame& frame, int factor, cv::Mat& small) {
  small.create(frame.height / factor, frame.width / factor, CV_32F);
  const GreySamples samples = grey_samples(frame);
  const float scale = 1.0F / static_cast<float>(factor * factor);
  for (int row = 0; row < small.rows; ++row) {
    float* out = small.ptr<float>(row);
    const std::uint8_t* block_row = samples.data + static_cast<std::ptrdiff_t>(row) * factor * samples.stride;
    for (int column = 0; column < small.cols; ++column) {
      int sum = 0;
      for (int y = 0; y < factor; ++y) {
        const std::uint8_t* sample = block_row + y * samples.stride + column * factor * samples.pixel_bytes;
        for (int x = 0; x < factor; ++x, sample += samples.pixel_bytes) sum += *sample;
      }
      out[column] = static_cast<float>(sum) * scale;
    }
  }
}

float magnitude(const cv::Vec2f& value) {
  return std::sqrt(value[0] * value[0] + value[1] * value[1]);
}

// Cross-power spectrum, brought to unit magnitude save where it is weak: there only noise would be amplified.
void whiten(cv::Mat& cross) {
  auto* values = cross.ptr<cv::Vec2f>();
  const std::size_t count = cross.total();  // cv::Mat::create makes it continuous
  float total = 0;
  for (std::size_t i = 0; i < count; ++i) total += magnitude(values[i]);
  const float floor = total / static_cast<float>(count) + 1e-12F;
  for (std::size_t i = 0; i < count; ++i) values[i] *= 1.0F / (magnitude(values[i]) + floor);
}

// Offset of the top of the parabola through three samples one apart, from the middle one.
double parabola_top(double left, double middle, double right) {
  const double curvature = left - 2 * middle + right;
  return curvature < 0 ? std::clamp(0.5 * (left - right) / curvature, -0.5, 0.5) : 0.0;
}

// The correlation's peak in small pixels; the correlation wraps around, so its far half are negative shifts.
cv::Point2d peak_of(const cv::Mat& correlation) {
  cv::Point peak;
  cv::minMaxLoc(correlation, nullptr, nullptr, nullptr, &peak);
  const int width = correlation.cols, height = correlation.rows;
  const auto at = [&](int x, int y) {
    return static_cast<double>(correlation.at<float>((y + height) % height, (x + width) % width));
  };
  const double middle = at(peak.x, peak.y);
  const double x = peak.x + parabola_top(at(peak.x - 1, peak.y), middle, at(peak.x + 1, peak.y));
  const double y = peak.y + parabola_top(at(peak.x, peak.y - 1), middle, at(peak.x, peak.y + 1));
  return {x > width / 2.0 ? x - width : x, y > height / 2.0 ? y - height : y};
}

// Mean absolute difference where the pictures overlap after the previous one is shifted.
double difference(const cv::Mat& previous, const cv::Mat& current, int dx, int dy) {
  const cv::Rect overlap =
      cv::Rect(0, 0, current.cols, current.rows) & cv::Rect(dx, dy, current.cols, current.rows);
  if (overlap.empty()) return INFINITY;
  const double sum = cv::norm(current(overlap), previous(overlap - cv::Point(dx, dy)), cv::NORM_L1);
  return sum / overlap.area();
}

}  // namespace

Shift MotionEstimator::update(const Frame& frame) {
  const int factor = small_factor(frame);
  if (std::min(frame.width, frame.height) / factor < smallest_side) {
    reset();
    return {};
  }
  if (frame.width != frame_width_ || frame.height != frame_height_) {
    reset();
    frame_width_ = frame.width;
    frame_height_ = frame.height;
    cv::createHanningWindow(window_, cv::Size(frame.width / factor, frame.height / factor), CV_32F);
  }
  shrink(frame, factor, picture_);
  cv::subtract(picture_, cv::mean(picture_), windowed_);
  cv::multiply(windowed_, window_, windowed_);
  cv::dft(windowed_, spectrum_, cv::DFT_COMPLEX_OUTPUT);

  Shift shift;
  if (!previous_spectrum_.empty()) {
    cv::mulSpectrums(spectrum_, previous_spectrum_, cross_, 0, /*conjB=*/true);
    whiten(cross_);
    cv::dft(cross_, correlation_, cv::DFT_INVERSE | cv::DFT_REAL_OUTPUT | cv::DFT_SCALE);
    const cv::Point2d peak = peak_of(correlation_);
    // Dust on the sensor stands still, and unrelated pictures have a peak somewhere: believe what fits
    // better.
    const int dx = static_cast<int>(std::lround(peak.x)), dy = static_cast<int>(std::lround(peak.y));
    const bool believed = (dx == 0 && dy == 0) || difference(previous_picture_, picture_, dx, dy) <
                                                      difference(previous_picture_, picture_, 0, 0);
    if (believed) shift = {peak.x * factor, peak.y * factor};
  }
  std::swap(picture_, previous_picture_);
  std::swap(spectrum_, previous_spectrum_);
  return shift;
}

void MotionEstimator::reset() {
  previous_picture_.release();
  previous_spectrum_.release();
}

}  // namespace smearscope
