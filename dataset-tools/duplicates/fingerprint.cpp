#include "duplicates/fingerprint.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <string>
#include <vector>

namespace smearscope::corpus {
namespace {

// Landmarks are the extrema of a difference-of-Gaussians pyramid over place and scale (Lowe, 2004).
constexpr int side = 128;       // pixels of the thumbnail, stretched to a square
constexpr int blurs = 10;       // three to an octave: landmarks of 5 to 27 pixels across are found
constexpr double finest = 1.6;  // pixels: the first blur's standard deviation
// Weaker extrema are noise: a share of the thumbnail's own standard deviation, plus 2 grey levels.
constexpr double least_contrast = 0.02, noise = 2;
constexpr int margin = 2;  // pixels at the border in which there are none

struct Landmark {
  float x, y;  // pixels of the thumbnail
  float strength;
  bool dark;
};

cv::Mat1f thumbnail_of(const cv::Mat& rgb) {
  cv::Mat grey, small;
  cv::cvtColor(rgb, grey, cv::COLOR_RGB2GRAY);
  const bool grows = rgb.cols < side || rgb.rows < side;
  cv::resize(grey, small, {side, side}, 0, 0, grows ? cv::INTER_LINEAR : cv::INTER_AREA);
  cv::Mat1f thumbnail;
  small.convertTo(thumbnail, CV_32F);
  return thumbnail;
}

// Each blur minus the one before: above 0 where a dark blob is.
std::vector<cv::Mat1f> bands_of(const cv::Mat1f& thumbnail) {
  std::vector<cv::Mat1f> bands;
  cv::Mat1f last = thumbnail;
  double sigma_before = 0;
  for (int i = 0; i < blurs; ++i) {
    const double sigma = finest * std::pow(2.0, i / 3.0);
    const double step = std::sqrt(sigma * sigma - sigma_before * sigma_before);
    const int reach = 2 * static_cast<int>(std::ceil(3 * step)) + 1;
    cv::Mat1f next;
    cv::GaussianBlur(last, next, {reach, reach}, step, 0, cv::BORDER_REFLECT);
    if (i > 0) bands.push_back(next - last);
    last = next;
    sigma_before = sigma;
  }
  return bands;
}

bool is_extremum(const std::vector<cv::Mat1f>& bands, std::size_t band, int x, int y, float sign) {
  const float value = sign * bands[band](y, x);
  for (std::size_t b = band - 1; b <= band + 1; ++b) {
    for (int row = y - 1; row <= y + 1; ++row) {
      const float* at = bands[b][row] + x;
      if (sign * at[-1] > value || sign * at[0] > value || sign * at[1] > value) return false;
    }
  }
  return true;
}

// Where the parabola through three neighbours has its vertex, from the middle one.
float vertex(float before, float value, float after) {
  const float curvature = before - 2 * value + after;
  return curvature == 0 ? 0 : std::clamp((before - after) / (2 * curvature), -0.5F, 0.5F);
}

std::vector<Landmark> find_landmarks(const cv::Mat1f& thumbnail) {
  cv::Scalar mean, deviation;
  cv::meanStdDev(thumbnail, mean, deviation);
  const auto least = static_cast<float>(least_contrast * (deviation[0] + noise));
  const std::vector<cv::Mat1f> bands = bands_of(thumbnail);
  std::vector<Landmark> found;
  for (std::size_t b = 1; b + 1 < bands.size(); ++b) {
    const cv::Mat1f& band = bands[b];
    for (int y = margin; y < side - margin; ++y) {
      for (int x = margin; x < side - margin; ++x) {
        const float value = band(y, x), strength = std::abs(value);
        if (strength < least || !is_extremum(bands, b, x, y, value > 0 ? 1.0F : -1.0F)) continue;
        const float dx = vertex(band(y, x - 1), value, band(y, x + 1));
        const float dy = vertex(band(y - 1, x), value, band(y + 1, x));
        found.push_back({float(x) + 0.5F + dx, float(y) + 0.5F + dy, strength, value > 0});
      }
    }
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const Landmark& a, const Landmark& b) { return a.strength > b.strength; });
  return found;
}

}  // namespace

Fingerprint landmarks_of(const cv::Mat& rgb) {
  Fingerprint print;
  for (const Landmark& landmark : find_landmarks(thumbnail_of(rgb))) {
    const std::size_t i = print.landmarks;
    if (i == Fingerprint::most_landmarks) break;
    print.x[i] = static_cast<std::uint8_t>(landmark.x * 256 / side);
    print.y[i] = static_cast<std::uint8_t>(landmark.y * 256 / side);
    print.dark |= std::uint64_t(landmark.dark) << i;
    ++print.landmarks;
  }
  return print;
}

Fingerprint fingerprint_of(ImageFile& file) {
  Fingerprint print = landmarks_of(file.rgb());
  const std::string digits = file.sha256();
  for (std::size_t i = 0; i < print.sha256.size(); ++i) {
    print.sha256[i] = static_cast<std::uint8_t>(std::stoi(digits.substr(2 * i, 2), nullptr, 16));
  }
  return print;
}

}  // namespace smearscope::corpus
