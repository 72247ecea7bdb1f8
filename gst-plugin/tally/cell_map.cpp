#include "tally/cell_map.h"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace smearscope {
namespace {

constexpr double bucket_side = 128;  // pixels: a few cells each
constexpr double most_drift = 32;    // pixels by which a cell's box may leave its bucket
constexpr unsigned memory = 16;      // looks; so that a stage that creeps unnoticed is followed

std::int64_t column_of(double x) {
  return static_cast<std::int64_t>(std::floor(x / bucket_side));
}

std::uint64_t bucket_of(std::int64_t column, std::int64_t row) {
  return static_cast<std::uint64_t>(column) << 32U ^ (static_cast<std::uint64_t>(row) & 0xffffffffU);
}

std::uint64_t bucket_at(const Place& centre) {
  return bucket_of(column_of(centre.x), column_of(centre.y));
}

SlideBox cut(const SlideBox& box, const SlideBox& view) {
  return {std::max(box.x_min, view.x_min), std::max(box.y_min, view.y_min), std::min(box.x_max, view.x_max),
          std::min(box.y_max, view.y_max)};
}

}  // namespace

double overlap_of(const SlideBox& a, const SlideBox& b) {
  const SlideBox both = cut(a, b);
  if (!(both.width() > 0 && both.height() > 0)) return 0;
  const double common = both.width() * both.height();
  return common / (a.width() * a.height() + b.width() * b.height() - common);
}

std::size_t CellMap::add(const SlideBox& box) {
  const std::uint64_t bucket = bucket_at(box.centre());
  buckets_[bucket].push_back(cells_.size());
  cells_.push_back({box, bucket});
  return cells_.size() - 1;
}

void CellMap::move(std::size_t cell, double dx, double dy) {
  take_out(cell);
  Cell& moved = cells_[cell];
  moved.box = moved.box.moved(dx, dy);
  moved.bucket = bucket_at(moved.box.centre());
  buckets_[moved.bucket].push_back(cell);
}

void CellMap::remove(std::size_t cell) {
  take_out(cell);
  cells_[cell].box = {};
}

void CellMap::take_out(std::size_t cell) {
  std::vector<std::size_t>& bucket = buckets_[cells_[cell].bucket];
  bucket.erase(std::remove(bucket.begin(), bucket.end(), cell), bucket.end());
}

void CellMap::see(std::size_t cell, const SlideBox& box) {
  Cell& known = cells_[cell];
  known.looks = std::min(known.looks + 1, memory);
  const double share = 1.0 / known.looks;
  known.box.x_min += share * (box.x_min - known.box.x_min);
  known.box.y_min += share * (box.y_min - known.box.y_min);
  known.box.x_max += share * (box.x_max - known.box.x_max);
  known.box.y_max += share * (box.y_max - known.box.y_max);
}

void CellMap::clear() {
  cells_.clear();
  buckets_.clear();
}

template <typename Visit>
void CellMap::each_near(const SlideBox& area, Visit visit) const {
  const SlideBox reach = area.grown(most_drift);
  for (std::int64_t row = column_of(reach.y_min); row <= column_of(reach.y_max); ++row) {
    for (std::int64_t column = column_of(reach.x_min); column <= column_of(reach.x_max); ++column) {
      const auto bucket = buckets_.find(bucket_of(column, row));
      if (bucket == buckets_.end()) continue;
      for (const std::size_t cell : bucket->second) visit(cell, cells_[cell].box.centre());
    }
  }
}

std::vector<std::size_t> CellMap::in(const SlideBox& area) const {
  std::vector<std::size_t> found;
  each_near(area, [&](std::size_t cell, const Place& centre) {
    if (area.contains({centre.x, centre.y, centre.x, centre.y})) found.push_back(cell);
  });
  std::sort(found.begin(), found.end());
  return found;
}

std::optional<std::size_t> CellMap::nearest(const Place& place, double within) const {
  std::optional<std::size_t> best;
  double least = within * within;
  each_near(SlideBox{place.x, place.y, place.x, place.y}.grown(within),
            [&](std::size_t cell, const Place& centre) {
              const double x = centre.x - place.x, y = centre.y - place.y, distance = x * x + y * y;
              if (distance > least || (distance == least && (!best || *best < cell))) return;
              least = distance;
              best = cell;
            });
  return best;
}

std::vector<std::ptrdiff_t> match(const std::vector<SlideBox>& found, const std::vector<SlideBox>& known,
                                  const SlideBox& view) {
  struct Pair {
    double overlap;
    std::size_t found, known;
  };
  std::vector<Pair> pairs;
  for (std::size_t k = 0; k < known.size(); ++k) {
    const SlideBox visible = cut(known[k], view);
    for (std::size_t f = 0; f < found.size(); ++f) {
      const double overlap = overlap_of(found[f], visible);
      if (overlap >= least_overlap) pairs.push_back({overlap, f, k});
    }
  }
  std::sort(pairs.begin(), pairs.end(), [](const Pair& a, const Pair& b) {
    return std::tie(b.overlap, a.found, a.known) < std::tie(a.overlap, b.found, b.known);
  });
  std::vector<std::ptrdiff_t> partner(found.size(), -1);
  std::vector<bool> taken(known.size(), false);
  for (const Pair& pair : pairs) {
    if (partner[pair.found] >= 0 || taken[pair.known]) continue;
    partner[pair.found] = static_cast<std::ptrdiff_t>(pair.known);
    taken[pair.known] = true;
  }
  return partner;
}

}  // namespace smearscope
