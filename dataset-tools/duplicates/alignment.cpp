#include "duplicates/alignment.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <utility>
#include <vector>

namespace smearscope::corpus {
namespace {

constexpr int side = Miniature::side;

// What a correlation is made of.
struct Sums {
  double count = 0, a = 0, b = 0, aa = 0, bb = 0, ab = 0;

  void add(double first, double second) {
    ++count;
    a += first, b += second;
    aa += first * first, bb += second * second, ab += first * second;
  }
  double variance_a() const { return aa - a * a / count; }
  double variance_b() const { return bb - b * b / count; }
  double correlation() const {
    if (count < 2) return 0;
    const double both = variance_a() * variance_b();
    return both > 1e-6 ? (ab - a * b / count) / std::sqrt(both) : 0;
  }
};

cv::Mat1f as_matrix(const Miniature& miniature, double blur) {
  cv::Mat1f result(side, side);
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) result(y, x) = miniature.at(x, y);
  }
  if (blur > 0) cv::GaussianBlur(result, result, {}, blur, 0, cv::BORDER_REFLECT);
  return result;
}

// A pixel of the first picture, and what is there in the second.
struct Sample {
  cv::Point2d from;  // shares of the first's sides
  double a = 0, b = 0;
  double across = 0, down = 0;  // slopes of the second, per side
};

// A picture that is looked up between its pixels, and its slopes.
class Surface {
 public:
  explicit Surface(const cv::Mat1f& picture) : picture_(picture) {
    cv::Sobel(picture, across_, CV_32F, 1, 0, 3, 0.125 * side);
    cv::Sobel(picture, down_, CV_32F, 0, 1, 3, 0.125 * side);
  }
  // `at`: 0..1, shares of the sides.
  void look_up(cv::Point2d at, Sample& sample) const {
    constexpr double last = side - 1.001;
    const double x = std::clamp(at.x * side - 0.5, 0.0, last), y = std::clamp(at.y * side - 0.5, 0.0, last);
    const int left = int(x), top = int(y);
    const double u = x - left, v = y - top;
    const auto between = [&](const cv::Mat1f& m) {
      const float *above = m[top] + left, *below = m[top + 1] + left;
      return (1 - v) * ((1 - u) * above[0] + u * above[1]) + v * ((1 - u) * below[0] + u * below[1]);
    };
    sample.b = between(picture_);
    sample.across = between(across_);
    sample.down = between(down_);
  }

 private:
  cv::Mat1f picture_, across_, down_;
};

// The two pictures where they overlap under a map.
struct Fit {
  AxisMap map;
  std::vector<Sample> samples;
  Sums sums;
};

Fit overlap(const cv::Mat1f& first, const Surface& second, const AxisMap& map) {
  Fit result{map, {}, {}};
  result.samples.reserve(side * side);
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      Sample sample{{(x + 0.5) / side, (y + 0.5) / side}, first(y, x)};
      const cv::Point2d to = map.at(sample.from);
      if (!(to.x >= 0 && to.y >= 0 && to.x <= 1 && to.y <= 1)) continue;
      second.look_up(to, sample);
      result.sums.add(sample.a, sample.b);
      result.samples.push_back(sample);
    }
  }
  return result;
}

AxisMap stepped(const Fit& fit) {
  const Sums& sums = fit.sums;
  const double contrast = std::sqrt(sums.variance_a() / sums.variance_b());
  const double mean_a = sums.a / sums.count, mean_b = sums.b / sums.count;
  cv::Matx44d normal = cv::Matx44d::eye() * 1e-3;
  cv::Vec4d right(0, 0, 0, 0);
  for (const Sample& sample : fit.samples) {
    const double missing = (sample.a - mean_a) - contrast * (sample.b - mean_b);
    const double across = contrast * sample.across, down = contrast * sample.down;
    const double u = fit.map.swap ? sample.from.y : sample.from.x;
    const double v = fit.map.swap ? sample.from.x : sample.from.y;
    const double slope[4] = {across * u, across, down * v, down};
    for (int i = 0; i < 4; ++i) {
      right[i] += slope[i] * missing;
      for (int k = 0; k < 4; ++k) normal(i, k) += slope[i] * slope[k];
    }
  }
  const cv::Vec4d step = normal.solve(right, cv::DECOMP_CHOLESKY);
  AxisMap next = fit.map;
  next.x.scale += step[0], next.x.offset += step[1];
  next.y.scale += step[2], next.y.offset += step[3];
  return next;
}

Fit best_fit(const cv::Mat1f& first, const Surface& second, const AxisMap& guess) {
  constexpr int most_steps = 12;
  constexpr double least_gain = 1e-4;          // of the correlation
  constexpr double fewest = side * side / 16;  // pixels in the overlap
  Fit best = overlap(first, second, guess);
  for (int i = 0; i < most_steps; ++i) {
    if (best.sums.count < fewest || best.sums.variance_a() < 1 || best.sums.variance_b() < 1) break;
    Fit next = overlap(first, second, stepped(best));
    const double gain = next.sums.correlation() - best.sums.correlation();
    if (gain > 0) best = std::move(next);
    if (gain < least_gain) break;
  }
  return best;
}

}  // namespace

Miniature miniature_of(const cv::Mat1f& grey) {
  constexpr double neighbourhood = 2.25;  // pixels, standard deviation
  constexpr double noise = 2;             // grey levels; keeps flat regions from counting
  constexpr double unit = 31, most = 4;   // spreads
  const bool grows = grey.cols < side || grey.rows < side;
  cv::Mat1f small, mean, spread;
  cv::resize(grey, small, {side, side}, 0, 0, grows ? cv::INTER_LINEAR : cv::INTER_AREA);
  cv::GaussianBlur(small, mean, {}, neighbourhood, 0, cv::BORDER_REFLECT);
  small -= mean;
  cv::GaussianBlur(small.mul(small), spread, {}, neighbourhood, 0, cv::BORDER_REFLECT);
  Miniature result;
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      const double value = small(y, x) / (std::sqrt(std::max(0.0F, spread(y, x))) + noise);
      result.pixels[std::size_t(y * side + x)] =
          static_cast<std::int8_t>(std::lround(unit * std::clamp(value, -most, most)));
    }
  }
  return result;
}

double rough_correlation(const Miniature& first, const Miniature& second, const AxisMap& to_second) {
  constexpr int step = 3, samples = side / step;
  // A row and a column of the first are a row and a column of the second, or a column and a row.
  const Axis& across = to_second.swap ? to_second.y : to_second.x;
  const Axis& down = to_second.swap ? to_second.x : to_second.y;
  const int per_column = to_second.swap ? side : 1, per_row = to_second.swap ? 1 : side;
  std::array<int, samples> column{}, row{};  // where in the second's pixels; below 0: outside
  for (int i = 0; i < samples; ++i) {
    const double from = (i * step + 1.5) / side;
    const int x = int(std::floor(across.at(from) * side)), y = int(std::floor(down.at(from) * side));
    column[std::size_t(i)] = x >= 0 && x < side ? x * per_column : -1;
    row[std::size_t(i)] = y >= 0 && y < side ? y * per_row : -1;
  }
  const auto compare = [&](int stride) {
    int count = 0, a = 0, b = 0, aa = 0, bb = 0, ab = 0;
    for (int y = 0; y < samples; y += stride) {
      if (row[std::size_t(y)] < 0) continue;
      const std::int8_t* from = &first.pixels[std::size_t((y * step + 1) * side + 1)];
      const std::int8_t* to = &second.pixels[std::size_t(row[std::size_t(y)])];
      for (int x = 0; x < samples; x += stride) {
        if (column[std::size_t(x)] < 0) continue;
        const int p = from[x * step], q = to[column[std::size_t(x)]];
        ++count, a += p, b += q, aa += p * p, bb += q * q, ab += p * q;
      }
    }
    const bool is_enough = count * 4 >= samples * samples / (stride * stride);
    return is_enough
               ? Sums{double(count), double(a), double(b), double(aa), double(bb), double(ab)}.correlation()
               : 0;
  };
  // Nearly all that is asked is chance, and that is seen at a quarter of the places.
  constexpr double least = 0.2;
  const double at_first_sight = compare(2);
  return at_first_sight < least ? at_first_sight : compare(1);
}

Alignment align(const Miniature& first, const Miniature& second, const AxisMap& guess) {
  AxisMap map = guess;
  Sums sums;
  for (const double blur : {1.5, 0.0}) {
    const Fit fit = best_fit(as_matrix(first, blur), Surface(as_matrix(second, blur)), map);
    map = fit.map;
    sums = fit.sums;
  }
  const double share = sums.count / (side * side);
  return {map, sums.correlation(), share, std::min(1.0, share * map.area())};
}

}  // namespace smearscope::corpus
