#include "tally/whereabouts.h"

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <cmath>
#include <cstdint>
#include <tuple>
#include <utility>

namespace smearscope {
namespace {

constexpr std::size_t fewest_neighbours = 4;
// The chance that a cell put anywhere on a dense smear lies within an eighth of its side of a known one's
// centre (pi / 64 if cells covered all), and how many such places there are to try for each known cell.
constexpr double chance_to_agree = 0.06, places_a_cell = 64, most_chance = 1e-3;
constexpr double like_size = 1.4;  // times larger or smaller
constexpr std::size_t most_voters = 40;
constexpr std::size_t most_tried = 16;  // peaks of the vote

double side_of(const SlideBox& box) {
  return std::sqrt(box.width() * box.height());
}

double median(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

std::optional<Place> median_way(const std::vector<Place>& ways, std::size_t fewest) {
  if (ways.size() < fewest || ways.empty()) return std::nullopt;
  std::vector<double> x, y;
  for (const Place& way : ways) {
    x.push_back(way.x);
    y.push_back(way.y);
  }
  return Place{median(x), median(y)};
}

// The ways from each of `found` to the nearest of `known`, as far as that is within `reach` of the cell's
// side.
std::vector<Place> ways_to_nearest(const std::vector<SlideBox>& found, const std::vector<SlideBox>& known,
                                   double reach) {
  std::vector<Place> ways;
  for (const SlideBox& box : found) {
    const Place from = box.centre();
    double nearest = reach * side_of(box);
    std::optional<Place> way;
    for (const SlideBox& other : known) {
      const Place to = other.centre();
      const double distance = std::hypot(to.x - from.x, to.y - from.y);
      if (distance >= nearest) continue;
      nearest = distance;
      way = Place{to.x - from.x, to.y - from.y};
    }
    if (way) ways.push_back(*way);
  }
  return ways;
}

// Ways from found to known cells, counted in squares whose side is `step`. Ways that lie `side` squares apart
// share one: what comes of that is looked at closely later, like any other.
class Votes {
 public:
  explicit Votes(double step) : step_(step), counts_(std::size_t{side} * side) {}

  struct Peak {
    unsigned votes;
    Place way;
  };

  void add(const Place& way) {
    const std::int64_t column = square(way.x), row = square(way.y);
    std::uint16_t& count = counts_[index(column, row)];
    if (count < UINT16_MAX) ++count;
    cast_.push_back({column, row});
  }

  // The ways with most votes, best first: those of four squares in a block, so that no edge splits them.
  std::vector<Peak> peaks(unsigned fewest) const {
    std::vector<Peak> peaks;
    for (const auto& [column, row] : cast_) {
      for (const std::int64_t left : {column - 1, column}) {
        for (const std::int64_t top : {row - 1, row}) {
          const unsigned votes = counts_[index(left, top)] + counts_[index(left + 1, top)] +
                                 counts_[index(left, top + 1)] + counts_[index(left + 1, top + 1)];
          if (votes >= fewest)
            peaks.push_back(
                {votes, {static_cast<double>(left + 1) * step_, static_cast<double>(top + 1) * step_}});
        }
      }
    }
    std::sort(peaks.begin(), peaks.end(), [](const Peak& a, const Peak& b) {
      return std::tie(b.votes, a.way.x, a.way.y) < std::tie(a.votes, b.way.x, b.way.y);
    });
    const auto same = [](const Peak& a, const Peak& b) { return a.way.x == b.way.x && a.way.y == b.way.y; };
    peaks.erase(std::unique(peaks.begin(), peaks.end(), same), peaks.end());
    if (peaks.size() > most_tried) peaks.resize(most_tried);
    return peaks;
  }

 private:
  static constexpr std::int64_t side = 2048;
  std::int64_t square(double way) const { return static_cast<std::int64_t>(std::floor(way / step_)); }
  static std::size_t index(std::int64_t column, std::int64_t row) {
    return static_cast<std::size_t>(((row & (side - 1)) * side) + (column & (side - 1)));
  }

  double step_;
  std::vector<std::uint16_t> counts_;
  std::vector<std::pair<std::int64_t, std::int64_t>> cast_;
};

// How many of `found` cells must agree, see find_place. More than there are: no number is enough.
std::size_t needed_to_agree(std::size_t found, std::size_t known) {
  const boost::math::binomial_distribution<> by_chance(static_cast<double>(found), chance_to_agree);
  const double places = places_a_cell * static_cast<double>(known);
  std::size_t needed = 1;
  while (needed <= found &&
         places * boost::math::cdf(boost::math::complement(by_chance, static_cast<double>(needed - 1))) >
             most_chance)
    ++needed;
  return needed;
}

// Some of `found` speak for all; the median side is that of all.
std::vector<Votes::Peak> likely_ways(const std::vector<SlideBox>& found, const CellMap& map, double side,
                                     std::size_t needed) {
  Votes votes(side / 8);
  const std::size_t voters = std::min(found.size(), most_voters);
  for (std::size_t i = 0; i < voters; ++i) {
    const SlideBox& box = found[i * found.size() / voters];
    for (std::size_t k = 0; k < map.size(); ++k) {
      const double ratio = side_of(map[k]) / side_of(box);
      if (!(ratio < like_size && ratio * like_size > 1)) continue;
      votes.add({map[k].centre().x - box.centre().x, map[k].centre().y - box.centre().y});
    }
  }
  return votes.peaks(static_cast<unsigned>(needed * voters / found.size() / 2));
}

}  // namespace

std::optional<Place> small_correction(const std::vector<SlideBox>& found,
                                      const std::vector<SlideBox>& known) {
  return median_way(ways_to_nearest(found, known, 0.5), fewest_neighbours);
}

std::optional<FoundPlace> find_place(const std::vector<SlideBox>& found, const CellMap& map) {
  const std::size_t needed = needed_to_agree(found.size(), map.size());
  if (found.size() < needed || map.size() < needed) return std::nullopt;
  std::vector<double> sides;
  SlideBox around = found.front();
  for (const SlideBox& box : found) {
    sides.push_back(side_of(box));
    around = {std::min(around.x_min, box.x_min), std::min(around.y_min, box.y_min),
              std::max(around.x_max, box.x_max), std::max(around.y_max, box.y_max)};
  }
  const double side = median(sides);
  if (!(side > 0)) return std::nullopt;

  FoundPlace best{{}, needed - 1};
  for (const Votes::Peak& peak : likely_ways(found, map, side, needed)) {
    std::vector<SlideBox> moved, near;
    for (const SlideBox& box : found) moved.push_back(box.moved(peak.way.x, peak.way.y));
    for (const std::size_t cell : map.in(around.moved(peak.way.x, peak.way.y).grown(side)))
      near.push_back(map[cell]);
    const std::optional<Place> rest = median_way(ways_to_nearest(moved, near, 0.25), needed);
    if (!rest) continue;
    for (SlideBox& box : moved) box = box.moved(rest->x, rest->y);
    const std::size_t agree = ways_to_nearest(moved, near, 0.125).size();
    if (agree > best.agree) best = {{peak.way.x + rest->x, peak.way.y + rest->y}, agree};
  }
  return best.agree >= needed ? std::optional<FoundPlace>(best) : std::nullopt;
}

}  // namespace smearscope
