#include "detection/motion.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "detection/grey_samples.h"

namespace smearscope {
namespace {

constexpr int small_side = 160;    // longer side of the small copy: some 0.5 ms per frame
constexpr int smallest_side = 32;  // below this there is too little picture to correlate
// A key frame is replaced when it has moved out by this share of the picture's side, or when it differs from
// the picture by this many standard deviations on average (unrelated pictures: about one).
constexpr double key_range = 0.12, unlike = 0.5;
constexpr double blank = 1;  // grey levels of deviation: nothing but noise
constexpr double least_overlap =
    0.4;  // share of the picture; less proves nothing, background looks alike everywhere

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

// The correlation's peak in whole small pixels; the correlation wraps around, so its far half are negative
// shifts.
cv::Point peak_of(const cv::Mat& correlation) {
  cv::Point peak;
  cv::minMaxLoc(correlation, nullptr, nullptr, nullptr, &peak);
  return {peak.x > correlation.cols / 2 ? peak.x - correlation.cols : peak.x,
          peak.y > correlation.rows / 2 ? peak.y - correlation.rows : peak.y};
}

// Where the two pictures overlap when the key picture is shifted, without the outermost pixels, in the
// current one.
cv::Rect overlap_of(const cv::Mat& picture, const cv::Point& shift) {
  const cv::Rect inner(1, 1, picture.cols - 2, picture.rows - 2);
  return inner & (inner + shift);
}

// One step of Lucas and Kanade's image registration (1981): the part of a pixel by which the picture moved
// beyond a whole shift, from the differences where the two overlap and the slopes there.
cv::Point2d remainder_of(const cv::Mat& key, const cv::Mat& current, const cv::Point& shift) {
  const cv::Rect overlap = overlap_of(current, shift);
  float xx = 0, xy = 0, yy = 0, xd = 0, yd = 0;
  for (int y = overlap.y; y < overlap.y + overlap.height; ++y) {
    const float* now = current.ptr<float>(y) + overlap.x;
    const float* before = key.ptr<float>(y - shift.y) + overlap.x - shift.x;
    const float* above = key.ptr<float>(y - shift.y - 1) + overlap.x - shift.x;
    const float* below = key.ptr<float>(y - shift.y + 1) + overlap.x - shift.x;
    for (int x = 0; x < overlap.width; ++x) {
      const float slope_x = (before[x + 1] - before[x - 1]) / 2, slope_y = (below[x] - above[x]) / 2;
      const float difference = before[x] - now[x];
      xx += slope_x * slope_x, xy += slope_x * slope_y, yy += slope_y * slope_y;
      xd += slope_x * difference, yd += slope_y * difference;
    }
  }
  const double determinant = static_cast<double>(xx) * yy - static_cast<double>(xy) * xy;
  if (determinant <= 1e-6 * xx * yy || determinant <= 0) return {};
  const cv::Point2d step((yy * xd - xy * yd) / determinant, (xx * yd - xy * xd) / determinant);
  return {std::clamp(step.x, -1.0, 1.0), std::clamp(step.y, -1.0, 1.0)};
}

// The window stands still while the picture moves, which draws the correlation's peak towards zero; what fits
// best without a window is at most a few pixels away.
cv::Point2d refined(const cv::Mat& key, const cv::Mat& current, cv::Point shift) {
  constexpr int most_steps = 4;
  cv::Point2d remainder;
  for (int i = 0; i < most_steps; ++i) {
    remainder = remainder_of(key, current, shift);
    const cv::Point whole(cvRound(remainder.x), cvRound(remainder.y));
    if (whole == cv::Point()) break;
    shift += whole;
    remainder -= cv::Point2d(whole);
  }
  return cv::Point2d(shift) + remainder;
}

// Mean absolute difference where the pictures overlap after the key picture is shifted.
double difference(const cv::Mat& key, const cv::Mat& current, const cv::Point& shift) {
  const cv::Rect overlap = overlap_of(current, shift);
  if (overlap.area() < least_overlap * current.size().area()) return INFINITY;
  return cv::norm(current(overlap), key(overlap - shift), cv::NORM_L1) / overlap.area();
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
  cv::GaussianBlur(picture_, picture_, cv::Size(5, 5), 1);  // noise flattens slopes, and so biases their use
  cv::subtract(picture_, cv::mean(picture_), windowed_);
  cv::multiply(windowed_, window_, windowed_);
  cv::dft(windowed_, spectrum_, cv::DFT_COMPLEX_OUTPUT);

  lost_ = false;
  if (key_spectrum_.empty()) {
    become_key();
    return {};
  }
  cv::mulSpectrums(spectrum_, key_spectrum_, cross_, 0, /*conjB=*/true);
  whiten(cross_);
  cv::dft(cross_, correlation_, cv::DFT_INVERSE | cv::DFT_REAL_OUTPUT | cv::DFT_SCALE);
  // Dust on the sensor stands still, and unrelated pictures have a peak somewhere: where the last frame was
  // may fit better.
  const cv::Point peak = peak_of(correlation_), last(cvRound(since_key_.x), cvRound(since_key_.y));
  const bool at_peak = difference(key_picture_, picture_, peak) < difference(key_picture_, picture_, last);
  const cv::Point2d found = refined(key_picture_, picture_, at_peak ? peak : last);
  const cv::Point2d moved = found - since_key_;
  since_key_ = found;
  lost_ = is_unlike_key();
  if (lost_ || key_is_left()) become_key();
  return {moved.x * factor, moved.y * factor};
}

// Too little of the key frame is still in the picture.
bool MotionEstimator::key_is_left() const {
  return std::abs(since_key_.x) > picture_.cols * key_range ||
         std::abs(since_key_.y) > picture_.rows * key_range;
}

// The picture has become another one. Lighter or darker, or of another contrast, it still is the same.
bool MotionEstimator::is_unlike_key() const {
  const cv::Point shift(cvRound(since_key_.x), cvRound(since_key_.y));
  const cv::Rect overlap = overlap_of(picture_, shift);
  if (overlap.area() < least_overlap * picture_.size().area()) return true;
  const cv::Mat now = picture_(overlap), before = key_picture_(overlap - shift);
  cv::Scalar mean_now, deviation_now, mean_before, deviation_before;
  cv::meanStdDev(now, mean_now, deviation_now);
  cv::meanStdDev(before, mean_before, deviation_before);
  const double least = std::min(deviation_now[0], deviation_before[0]),
               most = std::max(deviation_now[0], deviation_before[0]);
  if (least < blank) return most >= 2 * blank;
  const double gain = deviation_now[0] / deviation_before[0];
  cv::Mat apart;  // what remains when the one before is brought to the same mean and contrast
  cv::addWeighted(now, 1, before, -gain, gain * mean_before[0] - mean_now[0], apart);
  return cv::norm(apart, cv::NORM_L1) / overlap.area() > unlike * deviation_now[0];
}

void MotionEstimator::become_key() {
  std::swap(picture_, key_picture_);
  std::swap(spectrum_, key_spectrum_);
  since_key_ = {};
}

void MotionEstimator::reset() {
  key_picture_.release();
  key_spectrum_.release();
  since_key_ = {};
  lost_ = false;
}

}  // namespace smearscope
