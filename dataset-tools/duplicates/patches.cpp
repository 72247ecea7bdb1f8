#include "duplicates/patches.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <optional>
#include <utility>

#include "duplicates/landmarks.h"

namespace smearscope::corpus {
namespace {

// README says how these were found.
constexpr std::size_t most_landmarks = 40;
constexpr float least_side = 24, most_side = 96;  // pixels
constexpr int samples = 8;                        // of the box, in each direction
constexpr int degree = 6;                         // of the highest frequency, the two directions' added
constexpr double least_difference = 0.1;          // of the transform's length, to tell an orientation by

// Signs of the 27 frequencies of degree 1 to 6, and whether each of the corners is dark.
static_assert(Patch::key_bits == 2 + (degree + 1) * (degree + 2) / 2 - 1);

using Cosines = std::array<std::array<float, samples>, degree + 1>;

Cosines cosines() {
  Cosines result;
  for (int frequency = 0; frequency <= degree; ++frequency) {
    for (int i = 0; i < samples; ++i)
      result[frequency][i] = static_cast<float>(std::cos(CV_PI * frequency * (i + 0.5) / samples));
  }
  return result;
}

// Low frequencies of a box's contents, and the orientation that it was brought into.
class Transform {
 public:
  // `sums`: integral image.
  Transform(const cv::Mat1d& sums, const cv::Rect2f& box) {
    static const Cosines cosine = cosines();
    const auto mean = means(sums, box);
    std::array<std::array<float, degree + 1>, samples> rows;  // transformed
    for (int row = 0; row < samples; ++row) {
      for (int p = 0; p <= degree; ++p) {
        rows[row][p] = 0;
        for (int i = 0; i < samples; ++i) rows[row][p] += mean[row][i] * cosine[p][i];
      }
    }
    for (int q = 0; q <= degree; ++q) {
      for (int p = 0; p + q <= degree; ++p) {
        for (int i = 0; i < samples; ++i) value_[q][p] += rows[i][p] * cosine[q][i];
        if (p + q > 0) square_ += value_[q][p] * value_[q][p];
      }
    }
  }

  void mirror() {
    negate([](int p, int) { return p % 2 != 0; });
    orientation_ ^= 1;
  }
  void turn_upside_down() {
    negate([](int, int q) { return q % 2 != 0; });
    orientation_ ^= 2;
  }
  void transpose() {
    for (int q = 0; q <= degree; ++q) {
      for (int p = 0; p < q; ++p) std::swap(value_[q][p], value_[p][q]);
    }
    orientation_ |= 4;
  }

  // Which half, cut along a diagonal, is lighter: left and top, bottom and left? Nothing if it is a close
  // call.
  std::optional<bool> top_left_is_darker() const { return is_below_zero(value_[0][1] + value_[1][0]); }
  std::optional<bool> top_right_is_lighter() const { return is_below_zero(value_[0][1] - value_[1][0]); }

  std::uint32_t code(bool first_is_dark, bool last_is_dark) const {
    std::uint32_t key = first_is_dark * 2U + last_is_dark;
    for (int d = 1; d <= degree; ++d) {
      for (int q = 0; q <= d; ++q) key = key * 2 + (value_[q][d - q] > 0);
    }
    return key << 3 | orientation_;
  }

 private:
  static std::array<std::array<float, samples>, samples> means(const cv::Mat1d& sums, const cv::Rect2f& box) {
    std::array<std::array<double, samples + 1>, samples + 1> at;
    for (int row = 0; row <= samples; ++row) {
      for (int column = 0; column <= samples; ++column) {
        const double x = box.x + box.width * column / samples, y = box.y + box.height * row / samples;
        const int left = std::min(int(x), sums.cols - 2), top = std::min(int(y), sums.rows - 2);
        const double u = x - left, v = y - top;
        const double *above = sums[top] + left, *below = sums[top + 1] + left;
        at[row][column] =
            (1 - v) * ((1 - u) * above[0] + u * above[1]) + v * ((1 - u) * below[0] + u * below[1]);
      }
    }
    const double area = double(box.area()) / (samples * samples);
    std::array<std::array<float, samples>, samples> result;
    for (int row = 0; row < samples; ++row) {
      for (int i = 0; i < samples; ++i)
        result[row][i] =
            static_cast<float>((at[row + 1][i + 1] - at[row][i + 1] - at[row + 1][i] + at[row][i]) / area);
    }
    return result;
  }

  template <class Which>
  void negate(Which which) {
    for (int q = 0; q <= degree; ++q) {
      for (int p = 0; p + q <= degree; ++p) {
        if (which(p, q)) value_[q][p] = -value_[q][p];
      }
    }
  }

  std::optional<bool> is_below_zero(float value) const {
    if (value * value <= least_difference * least_difference * square_) return std::nullopt;
    return value < 0;
  }

  float value_[degree + 1][degree + 1] = {};  // [down][across]
  double square_ = 0;
  unsigned orientation_ = 0;
};

std::uint8_t in_256ths(float pixels, int side) {
  return static_cast<std::uint8_t>(std::clamp(pixels * 256 / static_cast<float>(side) + 0.5F, 0.0F, 255.0F));
}

// In standard orientation the two landmarks are top left and bottom right, the dark one first (if they are
// alike, where it is lighter), and it is lighter at the bottom left than at the top right.
std::optional<Patch> patch_of(const cv::Mat1d& sums, Landmark a, Landmark b) {
  if (a.x > b.x) std::swap(a, b);
  const float top = std::min(a.y, b.y);
  const cv::Rect2f box(a.x, top, b.x - a.x, std::max(a.y, b.y) - top);
  if (box.width < least_side || box.height < least_side || box.width > most_side || box.height > most_side)
    return std::nullopt;
  Transform transform(sums, box);
  if (a.y > b.y) {
    transform.mirror();
    std::swap(a, b);
  }
  const auto turn = a.dark != b.dark ? std::optional(b.dark) : transform.top_left_is_darker();
  if (!turn) return std::nullopt;
  if (*turn) {
    transform.mirror();
    transform.turn_upside_down();
    std::swap(a, b);
  }
  const auto transpose = transform.top_right_is_lighter();
  if (!transpose) return std::nullopt;
  if (*transpose) transform.transpose();
  const int side = sums.cols - 1;
  return Patch{transform.code(a.dark, b.dark), in_256ths(box.x, side), in_256ths(box.y, side),
               in_256ths(box.width, side), in_256ths(box.height, side)};
}

Axis axis_between(int from, int from_extent, int to, int to_extent, bool flips) {
  const double scale = double(to_extent) / from_extent;
  return flips ? Axis{-scale, (to + to_extent + scale * from) / 256} : Axis{scale, (to - scale * from) / 256};
}

}  // namespace

std::vector<Patch> patches_of(const cv::Mat1f& grey) {
  const std::vector<Landmark> landmarks = find_landmarks(grey, most_landmarks);
  cv::Mat sums;
  cv::integral(grey, sums, CV_64F);
  std::vector<Patch> patches;
  for (std::size_t i = 0; i < landmarks.size(); ++i) {
    for (std::size_t k = i + 1; k < landmarks.size(); ++k) {
      if (const auto patch = patch_of(sums, landmarks[i], landmarks[k])) patches.push_back(*patch);
    }
  }
  return patches;
}

AxisMap map_between(const Patch& from, const Patch& to) {
  const auto mirrors = [](const Patch& patch) { return (patch.orientation() & 1) != 0; };
  const auto is_upside_down = [](const Patch& patch) { return (patch.orientation() & 2) != 0; };
  if (((from.orientation() ^ to.orientation()) & 4) != 0) {
    return {true, axis_between(from.y, from.height, to.x, to.width, is_upside_down(from) != mirrors(to)),
            axis_between(from.x, from.width, to.y, to.height, mirrors(from) != is_upside_down(to))};
  }
  return {false, axis_between(from.x, from.width, to.x, to.width, mirrors(from) != mirrors(to)),
          axis_between(from.y, from.height, to.y, to.height, is_upside_down(from) != is_upside_down(to))};
}

}  // namespace smearscope::corpus
