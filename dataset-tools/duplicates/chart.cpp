#include "duplicates/chart.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace smearscope::corpus {
namespace {

constexpr int reach = 2;  // cells around a landmark that count as near: a map of one constellation is off by so
constexpr float first_tolerance = 6, tolerance = 4;  // 1/256 of the side, in each direction

// Of the strongest 24 landmarks those of the constellation meet anyway. Of 24 of true copies 10 or more do,
// with borders of 12% cut off (99 of 100); by chance 8 or more do in one of 20 maps.
constexpr std::size_t asked_at_once = 24;
int least_first = getenv("LF")?atoi(getenv("LF")):7, least_all = getenv("LA")?atoi(getenv("LA")):10;

struct Match {
  cv::Point2f from, to;
};

// Least squares of one coordinate, other things being equal.
template <class Coordinate>
void fit_axis(const std::vector<Match>& matches, Axis& axis, Coordinate coordinate) {
  double u = 0, v = 0, uu = 0, uv = 0;
  for (const Match& match : matches) {
    const double a = coordinate(match.from), b = coordinate(match.to);
    u += a, v += b, uu += a * a, uv += a * b;
  }
  const auto count = double(matches.size());
  const double spread = count * uu - u * u;
  if (spread < 1) return;
  const double scale = (count * uv - u * v) / spread;
  if (std::abs(scale) < 0.1) return;
  axis = {float(scale), float((v - scale * u) / count)};
}

}  // namespace

Chart::Chart(const Fingerprint& print) : print_(print) {
  for (std::size_t i = 0; i < print.landmarks; ++i) {
    const int x = print.x[i] * cells / 256, y = print.y[i] * cells / 256;
    for (int row = std::max(0, y - reach); row <= std::min(cells - 1, y + reach); ++row) {
      for (int column = std::max(0, x - reach); column <= std::min(cells - 1, x + reach); ++column) {
        colours_[std::size_t((row + 1) * (cells + 2) + column + 1)] |= print.is_dark(i) ? 2 : 1;
      }
    }
  }
}

// How many of `count` landmarks of `other` from `first` on fall on one here.
int Chart::count_common(const Fingerprint& other, const AxisMap& map, std::size_t first) const {
  const std::uint8_t* u = (map.swap ? other.y.data() : other.x.data()) + first;
  const std::uint8_t* v = (map.swap ? other.x.data() : other.y.data()) + first;
  constexpr float shrink = cells / 256.0F;
  const float x_scale = map.x.scale * shrink, y_scale = map.y.scale * shrink;
  const float x_offset = map.x.offset * shrink + 1, y_offset = map.y.offset * shrink + 1;
  std::array<int, asked_at_once> place{};
  for (std::size_t i = 0; i < asked_at_once; ++i) {
    const float x = std::clamp(x_scale * float(u[i]) + x_offset, 0.0F, cells + 1.0F);
    const float y = std::clamp(y_scale * float(v[i]) + y_offset, 0.0F, cells + 1.0F);
    place[i] = int(y) * (cells + 2) + int(x);
  }
  int common = 0;
  for (std::size_t i = 0; i < asked_at_once && first + i < other.landmarks; ++i) {
    common += colours_[std::size_t(place[i])] >> (other.dark >> (first + i) & 1) & 1;
  }
  return common;
}

bool Chart::may_meet(const Fingerprint& other, const AxisMap& map) const {
  int common = count_common(other, map, 0);
  if (common < least_first) return false;
  common += count_common(other, map, asked_at_once);
  return common >= least_all;
}

Meeting Chart::fit(const Fingerprint& other, AxisMap& map) const {
  std::vector<Match> matches;
  matches.reserve(other.landmarks);
  const auto find_matches = [&](float within) {
    Meeting meeting;
    matches.clear();
    std::uint64_t taken = 0;
    for (std::size_t i = 0; i < other.landmarks; ++i) {
      const cv::Point2f from(other.x[i], other.y[i]), at = map.at(from);
      if (at.x < 0 || at.y < 0 || at.x >= 256 || at.y >= 256) continue;
      ++meeting.inside;
      float nearest = within;
      std::size_t which = print_.landmarks;
      for (std::size_t k = 0; k < print_.landmarks; ++k) {
        if (print_.is_dark(k) != other.is_dark(i) || (taken >> k & 1) != 0) continue;
        const float distance =
            std::max(std::abs(float(print_.x[k]) - at.x), std::abs(float(print_.y[k]) - at.y));
        if (distance <= nearest) nearest = distance, which = k;
      }
      if (which == print_.landmarks) continue;
      taken |= std::uint64_t(1) << which;
      ++meeting.common;
      matches.push_back({map.swap ? cv::Point2f(from.y, from.x) : from,
                         cv::Point2f(print_.x[which], print_.y[which])});
    }
    return meeting;
  };
  const Meeting first = find_matches(first_tolerance);
  if (first.common < 10) return first;
  for (int round = 0; round < 2; ++round) {
    fit_axis(matches, map.x, [](cv::Point2f p) { return double(p.x); });
    fit_axis(matches, map.y, [](cv::Point2f p) { return double(p.y); });
    if (round == 0) find_matches(tolerance);
  }
  return find_matches(tolerance);
}

}  // namespace smearscope::corpus
