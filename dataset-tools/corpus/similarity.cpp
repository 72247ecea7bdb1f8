#include "corpus/similarity.h"

#include <algorithm>
#include <opencv2/imgproc.hpp>

#include "corpus/folder.h"
#include "corpus/image_io.h"

namespace smearscope::corpus {
namespace {

constexpr int side = 32;
constexpr int orientations = 8;
const cv::Size neighbourhood(7, 7);

// Bit 2: transposed, bit 1: upside down, bit 0: mirrored.
cv::Mat oriented(const cv::Mat& pattern, int orientation) {
  cv::Mat turned = pattern.clone();
  if (orientation & 4) cv::transpose(turned, turned);
  if (orientation & 2) cv::flip(turned, turned, 0);
  if (orientation & 1) cv::flip(turned, turned, 1);
  return turned;
}

}  // namespace

// Brightness, contrast and the one big cell in the middle of many pictures say nothing about whether two
// pictures are the same; so each pixel of a thumbnail is taken relative to its neighbourhood's mean and
// spread.
cv::Mat pattern_of(const cv::Mat& rgb) {
  cv::Mat grey, thumbnail, mean, spread;
  cv::cvtColor(rgb, grey, cv::COLOR_RGB2GRAY);
  cv::resize(grey, thumbnail, {side, side}, 0, 0, cv::INTER_AREA);
  thumbnail.convertTo(thumbnail, CV_32F);
  cv::blur(thumbnail, mean, neighbourhood);
  cv::Mat pattern = thumbnail - mean;
  cv::blur(pattern.mul(pattern), spread, neighbourhood);
  cv::sqrt(spread, spread);
  constexpr double noise = 2;  // grey levels; keeps flat regions from counting
  pattern = pattern / (spread + noise);
  pattern -= cv::mean(pattern)[0];
  const double norm = cv::norm(pattern);
  if (norm > 1e-6) pattern /= norm;
  return pattern;
}

Fingerprint fingerprint_of(const std::filesystem::path& file) {
  return {sha256_of_file(file), pattern_of(read_image(file))};
}

SimilarityIndex::SimilarityIndex(const std::vector<Fingerprint>& images)
    : patterns_(static_cast<int>(images.size()) * orientations, side * side, CV_32F) {
  int row = 0;
  for (const Fingerprint& image : images) {
    sums_.push_back(image.sha256);
    for (int i = 0; i < orientations; ++i)
      oriented(image.pattern, i).reshape(1, 1).copyTo(patterns_.row(row++));
  }
}

std::optional<SimilarityIndex::Match> SimilarityIndex::best_match(const Fingerprint& image) const {
  if (sums_.empty()) return std::nullopt;
  const auto same = std::find(sums_.begin(), sums_.end(), image.sha256);
  if (same != sums_.end()) return Match{static_cast<std::size_t>(same - sums_.begin()), 1.0, true};
  const cv::Mat correlations = patterns_ * image.pattern.reshape(1, side * side);
  double best = 0;
  cv::Point place;
  cv::minMaxLoc(correlations, nullptr, &best, nullptr, &place);
  return Match{static_cast<std::size_t>(place.y / orientations), best, false};
}

}  // namespace smearscope::corpus
