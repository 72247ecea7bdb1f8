#include "tally/whereabouts.h"

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <cmath>

namespace smearscope {
namespace {

constexpr std::size_t fewest_neighbours = 4;
// The chance that a cell put anywhere on a dense smear lies within an eighth of its side of a known one's
// centre (pi / 64 if cells covered all), and how many such places there are to try for each known cell.
constexpr double chance_to_agree = 0.06, places_a_cell = 64, most_chance = 1e-3;
constexpr double like_size = 1.4;  // times larger or smaller
// So that a stream does not stop for long where a day's cells are known.
constexpr std::size_t most_searched = 50000;
constexpr std::size_t most_settled = 3000;  // places looked at closely: on no slide there are as many
constexpr double beyond_doubt = 0.6;        // share of the found cells
// A smear packed like bricks agrees with itself nearly as well a few cells further: the next best place must
// be this much worse.
constexpr double next_best = 0.75;
// The search begins with cells that have like neighbours: some of `found`, each with its nearest ones, of
// which so many must be where they should.
constexpr std::size_t most_anchors = 8, most_neighbours = 5, missing_neighbours = 2;

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

Place operator-(const Place& a, const Place& b) {
  return {a.x - b.x, a.y - b.y};
}
Place operator+(const Place& a, const Place& b) {
  return {a.x + b.x, a.y + b.y};
}

// The ways from `anchor`, one of the found cells, to its nearest neighbours.
std::vector<Place> neighbours_of(const std::vector<SlideBox>& found, std::size_t anchor) {
  std::vector<Place> ways;
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (i != anchor) ways.push_back(found[i].centre() - found[anchor].centre());
  }
  const auto nearer = [](const Place& a, const Place& b) {
    return std::hypot(a.x, a.y) < std::hypot(b.x, b.y);
  };
  const std::size_t kept = std::min(ways.size(), most_neighbours);
  std::partial_sort(ways.begin(), ways.begin() + static_cast<std::ptrdiff_t>(kept), ways.end(), nearer);
  ways.resize(kept);
  return ways;
}

bool has_neighbours(const CellMap& map, const Place& at, const std::vector<Place>& ways, double within) {
  std::size_t missing = 0;
  for (const Place& way : ways) {
    if (!map.nearest(at + way, within) && ++missing > missing_neighbours) return false;
  }
  return true;
}

// The ways from each of `found`, moved by `way`, to the known cells nearest to them, within a share of its
// side.
std::vector<Place> ways_to_known(const std::vector<SlideBox>& found, const CellMap& map, const Place& way,
                                 double share) {
  std::vector<Place> ways;
  for (const SlideBox& box : found) {
    const Place at = box.centre() + way;
    if (const std::optional<std::size_t> cell = map.nearest(at, share * side_of(box)))
      ways.push_back(map[*cell].centre() - at);
  }
  return ways;
}

// The best place so far, and how many cells agree at the best of those away from it.
struct Best {
  FoundPlace place;
  std::size_t next = 0;

  void take(const FoundPlace& other, double side) {
    const Place apart = other.way - place.way;
    const bool same = place.agree > 0 && std::hypot(apart.x, apart.y) < side / 2;
    if (other.agree > place.agree) {
      if (!same) next = place.agree;
      place = other;
    } else if (!same) {
      next = std::max(next, other.agree);
    }
  }
};

}  // namespace

std::optional<Place> small_correction(const std::vector<SlideBox>& found,
                                      const std::vector<SlideBox>& known) {
  return median_way(ways_to_nearest(found, known, 0.5), fewest_neighbours);
}

FoundPlace settle(const std::vector<SlideBox>& found, const CellMap& map, const Place& way) {
  const std::optional<Place> rest = median_way(ways_to_known(found, map, way, 0.25), 1);
  if (!rest) return {way, 0};
  const Place settled = way + *rest;
  return {settled, ways_to_known(found, map, settled, 0.125).size()};
}

std::optional<FoundPlace> find_place(const std::vector<SlideBox>& found, const CellMap& map,
                                     const SlideBox& except) {
  const std::size_t searched = std::min(map.size(), most_searched);
  const std::size_t needed = needed_to_agree(found.size(), searched);
  if (found.size() < needed || searched < needed) return std::nullopt;
  const auto decided =
      std::max<double>(static_cast<double>(needed), beyond_doubt * static_cast<double>(found.size()));
  Best best;
  std::size_t settled = 0;
  const std::size_t anchors = std::min(found.size(), most_anchors);
  for (std::size_t i = 0; i < anchors && static_cast<double>(best.place.agree) < decided; ++i) {
    const std::size_t anchor = i * found.size() / anchors;
    const double side = side_of(found[anchor]);
    const std::vector<Place> neighbours = neighbours_of(found, anchor);
    for (std::size_t cell = map.size() - searched; cell < map.size(); ++cell) {
      const double ratio = side_of(map[cell]) / side;
      if (!(ratio < like_size && ratio * like_size > 1) || except.contains(map[cell])) continue;
      if (!has_neighbours(map, map[cell].centre(), neighbours, side / 8)) continue;
      if (++settled > most_settled) return std::nullopt;
      best.take(settle(found, map, map[cell].centre() - found[anchor].centre()), side);
    }
  }
  const bool is_it = best.place.agree >= needed &&
                     static_cast<double>(best.next) <= next_best * static_cast<double>(best.place.agree);
  return is_it ? std::optional<FoundPlace>(best.place) : std::nullopt;
}

}  // namespace smearscope
