#include "duplicates/constellations.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <optional>

namespace smearscope::corpus {
namespace {

// Measured on 400 pictures of all four data sets and copies of them with everything done to them (compressed,
// resized, turned, recoloured, up to 12% cut off each side), by how many keys of copies meet for as many chance
// meetings of others. The strongest landmarks are found again most often; wide boxes have exact proportions.
constexpr std::size_t strongest = 24;             // 24 are better than 32 or 48
constexpr int least_side = 80, most_side = 180;  // of the box, in 1/256 of the picture
constexpr int steps = 20;                         // of each proportion; 12 and 16 are worse

struct Point {
  int x, y;
  bool is_dark;
};

// Two proportions of a side of the box: where its second and third landmarks lie, in steps from 0.
struct Proportions {
  int second, third;

  bool is_symmetric() const { return second + third == steps - 1; }
  bool is_beyond_middle() const { return second + third > steps - 1; }
  Proportions mirrored() const { return {steps - 1 - third, steps - 1 - second}; }
  int code() const { return second * steps + third; }
};

int step_of(int part, int whole) {
  return (2 * part + 1) * steps / (2 * whole + 2);
}

Proportions proportions_of(int first, int second, int third, int last) {
  return {step_of(second - first, last - first), step_of(third - first, last - first)};
}

// From left to right: each one's rank from the top, and whether it is dark.
struct Pattern {
  std::array<std::uint8_t, 4> rank;
  std::array<bool, 4> dark;

  void mirror() {
    std::reverse(rank.begin(), rank.end());
    std::reverse(dark.begin(), dark.end());
  }
  void turn_upside_down() {
    for (std::uint8_t& r : rank) r = std::uint8_t(3 - r);
  }
  void transpose() {
    const Pattern before = *this;
    for (std::uint8_t i = 0; i < 4; ++i) {
      rank[before.rank[i]] = i;
      dark[before.rank[i]] = before.dark[i];
    }
  }
};

std::uint32_t key_of(const Pattern& pattern, const Proportions& across, const Proportions& down) {
  std::uint64_t code = 0;
  for (std::size_t i = 0; i < 4; ++i) code = code * 8 + pattern.rank[i] * 2U + pattern.dark[i];
  code = (code * steps * steps + std::uint64_t(across.code())) * steps * steps + std::uint64_t(down.code());
  code *= 0x9E3779B97F4A7C15U;  // Knuth's multiplicative hashing; the high bits are the well mixed ones
  return std::uint32_t(code >> 32);
}

// Of four points from left to right. Nothing if the box is too flat, or symmetric: then which orientation is
// the standard one would be left to chance.
std::optional<Constellation> constellation_of(const std::array<Point, 4>& points) {
  const auto [top, bottom] = std::minmax({points[0].y, points[1].y, points[2].y, points[3].y});
  if (bottom - top < least_side || bottom - top > most_side) return std::nullopt;
  Proportions across = proportions_of(points[0].x, points[1].x, points[2].x, points[3].x);
  if (across.is_symmetric()) return std::nullopt;
  std::array<std::uint8_t, 4> downwards{0, 1, 2, 3};  // stays so for equal heights, by their x
  const auto in_order = [&](std::size_t a, std::size_t b) {
    if (points[downwards[a]].y > points[downwards[b]].y) std::swap(downwards[a], downwards[b]);
  };
  in_order(0, 1), in_order(2, 3), in_order(0, 2), in_order(1, 3), in_order(1, 2);
  Proportions down = proportions_of(top, points[downwards[1]].y, points[downwards[2]].y, bottom);
  if (down.is_symmetric()) return std::nullopt;
  Pattern pattern{};
  for (std::uint8_t i = 0; i < 4; ++i) {
    pattern.rank[downwards[i]] = i;
    pattern.dark[i] = points[i].is_dark;
  }

  Constellation result;
  if (across.is_beyond_middle()) {
    across = across.mirrored();
    pattern.mirror();
    result.orientation |= 1;
  }
  if (down.is_beyond_middle()) {
    down = down.mirrored();
    pattern.turn_upside_down();
    result.orientation |= 2;
  }
  if (across.code() == down.code()) return std::nullopt;
  if (across.code() > down.code()) {
    std::swap(across, down);
    pattern.transpose();
    result.orientation |= 4;
  }
  result.key = key_of(pattern, across, down);
  result.x = std::uint8_t(points[0].x);
  result.y = std::uint8_t(top);
  result.width = std::uint8_t(points[3].x - points[0].x);
  result.height = std::uint8_t(bottom - top);
  return result;
}

std::vector<Point> strongest_points(const Fingerprint& print) {
  std::vector<Point> points;
  for (std::size_t i = 0; i < std::min<std::size_t>(print.landmarks, strongest); ++i) {
    points.push_back({print.x[i], print.y[i], print.is_dark(i)});
  }
  std::sort(points.begin(), points.end(),
            [](const Point& a, const Point& b) { return a.x != b.x ? a.x < b.x : a.y < b.y; });
  return points;
}

Axis axis_between(int from, int from_extent, int to, int to_extent, bool flips) {
  const float scale = float(to_extent) / float(from_extent);
  return flips ? Axis{-scale, float(to + to_extent) + scale * float(from)}
               : Axis{scale, float(to) - scale * float(from)};
}

}  // namespace

std::vector<Constellation> constellations_of(const Fingerprint& print, std::uint32_t one_in) {
  const std::vector<Point> points = strongest_points(print);
  std::vector<Constellation> found;
  for (std::size_t first = 0; first < points.size(); ++first) {
    for (std::size_t last = first + 3; last < points.size(); ++last) {
      const int width = points[last].x - points[first].x;
      if (width < least_side || width > most_side) continue;
      for (std::size_t second = first + 1; second < last; ++second) {
        for (std::size_t third = second + 1; third < last; ++third) {
          const auto constellation =
              constellation_of({points[first], points[second], points[third], points[last]});
          if (constellation && constellation->key % one_in == 0) found.push_back(*constellation);
        }
      }
    }
  }
  return found;
}

AxisMap map_between(const Constellation& from, const Constellation& to) {
  const auto flips_x = [](const Constellation& c) { return (c.orientation & 1) != 0; };
  const auto flips_y = [](const Constellation& c) { return (c.orientation & 2) != 0; };
  AxisMap map;
  map.swap = ((from.orientation ^ to.orientation) & 4) != 0;
  if (map.swap) {
    map.x = axis_between(from.y, from.height, to.x, to.width, flips_y(from) != flips_x(to));
    map.y = axis_between(from.x, from.width, to.y, to.height, flips_x(from) != flips_y(to));
  } else {
    map.x = axis_between(from.x, from.width, to.x, to.width, flips_x(from) != flips_x(to));
    map.y = axis_between(from.y, from.height, to.y, to.height, flips_y(from) != flips_y(to));
  }
  return map;
}

}  // namespace smearscope::corpus
