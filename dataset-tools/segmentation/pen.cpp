#include "segmentation/pen.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace smearscope::corpus {
namespace {

constexpr int unit = 64;
constexpr double half_covered = 0.45;  // share of the way from the picture's grey to the pen's
constexpr int drawn_drop = 50;         // grey levels; more than JPEG does to the edge of a cell
constexpr int fewest_drawn = 40;       // pixels: a square of 10 drawn with a pen of one pixel
constexpr int brightest_pen = 60;
constexpr int blind = 16;        // grey levels between picture and pen, below which nothing can be told
constexpr double doubtful = 20;  // grey levels between picture and pen, at which evidence counts half

// Grey of the pen, or -1: the darkest quarter of what became much darker (the rest is the pen's soft edge).
int pen_grey(const cv::Mat1b& copy, const cv::Mat1b& picture) {
  std::array<int, 256> histogram{};
  int count = 0;
  for (int y = 0; y < copy.rows; ++y) {
    const std::uint8_t *a = copy[y], *b = picture[y];
    for (int x = 0; x < copy.cols; ++x) {
      if (int(b[x]) - int(a[x]) < drawn_drop) continue;
      ++histogram[a[x]];
      ++count;
    }
  }
  if (count < fewest_drawn) return -1;
  int grey = 0;
  for (int below = histogram[0]; below < count / 4; below += histogram[std::size_t(grey)]) ++grey;
  return std::min(grey, brightest_pen);
}

// Evidence by grey of the picture, then of the copy.
std::vector<std::int16_t> evidence_table(int pen) {
  std::vector<std::int16_t> table(256 * 256);
  for (int picture = 0; picture < 256; ++picture) {
    const double contrast = picture - pen;
    const double weight = contrast * contrast / (contrast * contrast + doubtful * doubtful);
    for (int copy = 0; copy < 256; ++copy) {
      const double covered = contrast == 0 ? 0 : std::clamp((picture - copy) / contrast, 0.0, 1.0);
      const bool known = std::abs(contrast) >= blind;
      table[std::size_t(256 * picture + copy)] =
          known ? std::int16_t(std::lround(unit * weight * (covered - half_covered))) : std::int16_t(0);
    }
  }
  return table;
}

}  // namespace

PenEvidence pen_evidence(const cv::Mat1b& copy, const cv::Mat1b& picture) {
  const int pen = pen_grey(copy, picture);
  if (pen < 0) return {};
  const std::vector<std::int16_t> table = evidence_table(pen);
  PenEvidence result{cv::Mat1s(copy.size()), cv::Mat1b(copy.size()), cv::Mat1b(copy.size()), pen};
  for (int y = 0; y < copy.rows; ++y) {
    const std::uint8_t *a = copy[y], *b = picture[y];
    std::int16_t* evidence = result.evidence[y];
    std::uint8_t *ink = result.ink[y], *unknown = result.unknown[y];
    for (int x = 0; x < copy.cols; ++x) {
      evidence[x] = table[std::size_t(256 * b[x] + a[x])];
      ink[x] = evidence[x] > 0;
      unknown[x] = std::abs(int(b[x]) - pen) < blind;
    }
  }
  return result;
}

}  // namespace smearscope::corpus
