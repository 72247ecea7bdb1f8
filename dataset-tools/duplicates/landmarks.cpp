#include "duplicates/landmarks.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

namespace smearscope::corpus {
namespace {

constexpr int blurs = 8;         // three to an octave
constexpr double finest = 1.8;   // pixels: the first blur's standard deviation
constexpr float weakest = 0.5F;  // grey levels; what is weaker is rounding
constexpr int margin = 2;        // pixels at the border in which there are none
constexpr float apart = 4;       // pixels; a blob is an extremum at several scales

// Each blur minus the one before: above 0 where a dark blob is.
std::vector<cv::Mat1f> bands_of(const cv::Mat1f& grey) {
  std::vector<cv::Mat1f> bands;
  cv::Mat1f last = grey;
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

bool is_extremum(const std::vector<cv::Mat1f>& bands, std::size_t band, int x, int y) {
  const float value = bands[band](y, x), sign = value > 0 ? 1.0F : -1.0F;
  const auto is_above = [&](std::size_t b, int row) {
    const float* at = bands[b][row] + x;
    return sign * at[-1] <= sign * value && sign * at[0] <= sign * value && sign * at[1] <= sign * value;
  };
  for (const std::size_t b : {band, band - 1, band + 1}) {
    if (!is_above(b, y) || !is_above(b, y - 1) || !is_above(b, y + 1)) return false;
  }
  return true;
}

// Where the parabola through three neighbours has its vertex, from the middle one.
float vertex(float before, float value, float after) {
  const float curvature = before - 2 * value + after;
  return curvature == 0 ? 0 : std::clamp((before - after) / (2 * curvature), -0.5F, 0.5F);
}

std::vector<Landmark> all_extrema(const std::vector<cv::Mat1f>& bands) {
  std::vector<Landmark> found;
  for (std::size_t b = 1; b + 1 < bands.size(); ++b) {
    const cv::Mat1f& band = bands[b];
    for (int y = margin; y < band.rows - margin; ++y) {
      for (int x = margin; x < band.cols - margin; ++x) {
        const float value = band(y, x);
        if (std::abs(value) < weakest || !is_extremum(bands, b, x, y)) continue;
        const float dx = vertex(band(y, x - 1), value, band(y, x + 1));
        const float dy = vertex(band(y - 1, x), value, band(y + 1, x));
        found.push_back({float(x) + 0.5F + dx, float(y) + 0.5F + dy, std::abs(value), value > 0});
      }
    }
  }
  return found;
}

}  // namespace

std::vector<Landmark> find_landmarks(const cv::Mat1f& grey, std::size_t most) {
  std::vector<Landmark> found = all_extrema(bands_of(grey)), chosen;
  std::stable_sort(found.begin(), found.end(),
                   [](const Landmark& a, const Landmark& b) { return a.strength > b.strength; });
  for (const Landmark& landmark : found) {
    if (chosen.size() == most) break;
    const bool is_new = std::none_of(chosen.begin(), chosen.end(), [&](const Landmark& other) {
      return std::hypot(landmark.x - other.x, landmark.y - other.y) < apart;
    });
    if (is_new) chosen.push_back(landmark);
  }
  return chosen;
}

}  // namespace smearscope::corpus
