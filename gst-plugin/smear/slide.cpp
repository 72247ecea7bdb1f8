#include "smear/slide.h"

#include <algorithm>
#include <cmath>

namespace smearscope::smear {
namespace {

constexpr double bucket_size = 72;  // um
constexpr int halo_buckets = 2;     // see below
constexpr int push_rounds = 4;
constexpr double max_drift = 5;         // um, how far pushing may move a cell
constexpr double max_site_extent = 16;  // um, from a site's anchor to the last cell of its stack or cluster
constexpr double max_reach = 12;        // um, largest outline radius, rounded up
constexpr double push_range = 18;       // um, beyond which no two cells touch
constexpr double max_gap = 1.1;         // um, see gap_of()

// Cells that push each other lie within push_range, so their homes lie within push_range + 2 * max_drift.
// Each round passes pushes on by that much, and a cell's home is max_site_extent from the anchor that decides
// which bucket it belongs to, as is the home of the cell farthest away that matters.
constexpr double push_step = push_range + 2 * max_drift;
static_assert(push_rounds * push_step + 2 * max_site_extent <= halo_buckets * bucket_size);

// A cell before it is made: enough to place it.
struct Seedling {
  std::uint64_t identity;
  std::uint64_t site;  // cells of one site do not push each other
  CellKind kind;
  double x, y, radius;
  double home_x, home_y;
  bool mine;  // belongs to the bucket asked for
};

CellKind draw_red_kind(Random& random) {
  const double u = random.uniform();
  if (u < 0.69) return CellKind::discocyte;
  if (u < 0.79) return CellKind::ovalocyte;
  if (u < 0.82) return CellKind::target_cell;
  if (u < 0.87) return CellKind::spherocyte;
  if (u < 0.91) return CellKind::stomatocyte;
  if (u < 0.97) return CellKind::hypochromic;
  if (u < 0.985) return CellKind::teardrop;
  return CellKind::burr_cell;
}

// The share of each kind in normal blood, evened out so that rare kinds are seen in minutes, not hours.
CellKind draw_white_kind(Random& random) {
  const double u = random.uniform();
  if (u < 0.45) return CellKind::neutrophil;
  if (u < 0.70) return CellKind::lymphocyte;
  if (u < 0.84) return CellKind::monocyte;
  if (u < 0.94) return CellKind::eosinophil;
  return CellKind::basophil;
}

double pushing_radius(CellKind kind) {
  switch (class_of(kind)) {
    case CellClass::wbc:
      return kind == CellKind::lymphocyte ? 5.2 : kind == CellKind::monocyte ? 8.2 : 6.8;
    case CellClass::rbc:
      return 3.75;
    default:
      return 1.4;
  }
}

class Sower {
 public:
  Sower(const SlideSettings& settings, std::int64_t column, std::int64_t row, bool mine,
        std::vector<Seedling>& out)
      : random_(mix(mix(settings.seed, static_cast<std::uint64_t>(column)), static_cast<std::uint64_t>(row))),
        settings_(settings),
        left_(column * bucket_size),
        top_(row * bucket_size),
        mine_(mine),
        out_(out) {}

  void sow() {
    const double area = bucket_size * bucket_size * 1e-6;  // mm2
    // Smears are thick here and thin there: red cells vary over about 150 um.
    const auto texture = static_cast<std::uint32_t>(mix(settings_.seed, 0x7e));
    const double thickness =
        value_noise(texture, static_cast<float>(left_ / 150), static_cast<float>(top_ / 150));
    for (int n = random_.poisson(settings_.wbc_per_mm2 * area); n > 0; --n) single(draw_white_kind(random_));
    double red = settings_.rbc_per_mm2 * area * (1 + 0.45 * thickness);
    for (int n = random_.poisson(red * (1 - stacked_share)); n > 0; --n) single(draw_red_kind(random_));
    for (int n = random_.poisson(red * stacked_share / mean_stack); n > 0; --n) stack();
    double platelets = settings_.platelets_per_mm2 * area;
    for (int n = random_.poisson(platelets * (1 - clustered_share)); n > 0; --n) single(CellKind::platelet);
    for (int n = random_.poisson(platelets * clustered_share / mean_cluster); n > 0; --n) cluster();
  }

 private:
  static constexpr double stacked_share = 0.22, mean_stack = 2.4;     // 2: 70%, 3: 20%, 4: 10%
  static constexpr double clustered_share = 0.2, mean_cluster = 3.5;  // 2 .. 5

  std::uint64_t new_identity() { return random_.next() | 1; }

  void add(CellKind kind, std::uint64_t identity, std::uint64_t site, double x, double y) {
    out_.push_back({identity, site, kind, x, y, pushing_radius(kind), x, y, mine_});
  }
  double anchor_x() { return left_ + random_.uniform(0, bucket_size); }
  double anchor_y() { return top_ + random_.uniform(0, bucket_size); }

  void single(CellKind kind) {
    const std::uint64_t identity = new_identity();
    const double x = anchor_x(), y = anchor_y();
    add(kind, identity, identity, x, y);
  }

  void stack() {
    const double u = random_.uniform();
    const int count = u < 0.7 ? 2 : u < 0.9 ? 3 : 4;
    double x = anchor_x(), y = anchor_y(), angle = random_.uniform(0, 6.2832);
    const std::uint64_t site = new_identity();
    for (int i = 0; i < count; ++i) {
      add(draw_red_kind(random_), i == 0 ? site : new_identity(), site, x, y);
      const double step = random_.uniform(3.6, 6.6) * (1.2 - 0.1 * count);
      angle += random_.normal(0, 0.4);
      x += step * std::cos(angle);
      y += step * std::sin(angle);
    }
  }

  void cluster() {
    const int count = 2 + random_.below(4);
    const double x = anchor_x(), y = anchor_y();
    const std::uint64_t site = new_identity();
    for (int i = 0; i < count; ++i) {
      const double angle = 2.4 * i + random_.normal(0, 0.2),
                   distance = 1.7 * std::sqrt(i + 0.3);  // a spiral packs discs
      add(CellKind::platelet, i == 0 ? site : new_identity(), site, x + distance * std::cos(angle),
          y + distance * std::sin(angle));
    }
  }

  Random random_;
  const SlideSettings& settings_;
  double left_, top_;
  bool mine_;
  std::vector<Seedling>& out_;
};

// How much two cells may overlap: most pairs touch at most, some lie over each other.
double gap_of(const Seedling& a, const Seedling& b) {
  const std::uint64_t pair = mix(std::min(a.identity, b.identity), std::max(a.identity, b.identity));
  const double u = static_cast<double>(pair >> 11) * 0x1p-53;
  const bool red = class_of(a.kind) == CellClass::rbc && class_of(b.kind) == CellClass::rbc;
  if (red && u < 0.12) return -4.5;
  return red ? -0.5 + 1.6 * u : 0.1 + u;  // at most max_gap
}

struct Point {
  double x, y;
};

// Moves `to`, the next position of `cell`, by what `other` pushes it.
void push(const Seedling& cell, const Seedling& other, Point& to) {
  if (other.site == cell.site) return;
  const double dx = cell.x - other.x, dy = cell.y - other.y, squared = dx * dx + dy * dy;
  const double touching = cell.radius + other.radius;
  if (squared >= (touching + max_gap) * (touching + max_gap) || squared == 0) return;
  const double wanted = touching + gap_of(cell, other), distance = std::sqrt(squared);
  if (distance >= wanted) return;
  // The larger stays, the smaller goes.
  const double share =
      other.radius * other.radius / (cell.radius * cell.radius + other.radius * other.radius);
  const double step = (wanted - distance) * share / distance;
  to.x += dx * step;
  to.y += dy * step;
}

// Finds cells near a place. Its bins lie at multiples of push_range on the slide, so that neighbours come in
// the same order (and sums round alike) whatever part of the slide is at hand.
class Neighbourhood {
 public:
  Neighbourhood(const std::vector<Seedling>& cells, double left, double top, double side)
      : first_column_(bin_of(left - push_step) - 1),
        first_row_(bin_of(top - push_step) - 1),
        bins_(static_cast<int>((side + 2 * push_step) / push_range) + 4),
        grid_(static_cast<std::size_t>(bins_) * bins_) {
    for (std::size_t i = 0; i < cells.size(); ++i) at(bin_of(cells[i].x), bin_of(cells[i].y)).push_back(i);
  }

  template <typename Visit>
  void visit(const Seedling& cell, Visit visit) {
    const std::int64_t column = bin_of(cell.x), row = bin_of(cell.y);
    for (std::int64_t r = row - 1; r <= row + 1; ++r) {
      for (std::int64_t c = column - 1; c <= column + 1; ++c) {
        for (std::size_t i : at(c, r)) visit(i);
      }
    }
  }

 private:
  static std::int64_t bin_of(double um) { return static_cast<std::int64_t>(std::floor(um / push_range)); }
  std::vector<std::size_t>& at(std::int64_t column, std::int64_t row) {
    return grid_[static_cast<std::size_t>((row - first_row_) * bins_ + column - first_column_)];
  }

  std::int64_t first_column_, first_row_;
  int bins_;
  std::vector<std::vector<std::size_t>> grid_;
};

// Pushes cells apart, all at once, round by round, until those of the bucket at (left, top) are in place.
// `cells` are those of the bucket and its halo, in the order of (row, column, index); later rounds need ever
// fewer of them.
void relax(std::vector<Seedling>& cells, double left, double top) {
  constexpr double halo = halo_buckets * bucket_size;
  std::vector<Point> next(cells.size());
  for (int round = 0; round < push_rounds; ++round) {
    const double beyond = max_site_extent + (push_rounds - 1 - round) * push_step;
    const auto matters = [&](const Seedling& cell) {
      return cell.home_x >= left - beyond && cell.home_x <= left + bucket_size + beyond &&
             cell.home_y >= top - beyond && cell.home_y <= top + bucket_size + beyond;
    };
    Neighbourhood near(cells, left - halo, top - halo, bucket_size + 2 * halo);
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const Seedling& cell = cells[i];
      Point to{cell.x, cell.y};
      if (matters(cell)) {
        near.visit(cell, [&](std::size_t j) { push(cell, cells[j], to); });
        const double dx = to.x - cell.home_x, dy = to.y - cell.home_y, drift = std::hypot(dx, dy);
        const double keep = drift > max_drift ? max_drift / drift : 1;
        to = {cell.home_x + dx * keep, cell.home_y + dy * keep};
      }
      next[i] = to;
    }
    for (std::size_t i = 0; i < cells.size(); ++i) {
      cells[i].x = next[i].x;
      cells[i].y = next[i].y;
    }
  }
}

}  // namespace

const Slide::Bucket& Slide::bucket(Place place) {
  const auto known = buckets_.find(place);
  if (known != buckets_.end()) return known->second;

  std::vector<Seedling> seedlings;
  for (std::int64_t row = place.second - halo_buckets; row <= place.second + halo_buckets; ++row) {
    for (std::int64_t column = place.first - halo_buckets; column <= place.first + halo_buckets; ++column) {
      Sower(settings_, column, row, column == place.first && row == place.second, seedlings).sow();
    }
  }
  relax(seedlings, place.first * bucket_size, place.second * bucket_size);

  Bucket cells;
  for (const Seedling& seedling : seedlings) {
    if (!seedling.mine) continue;
    SlideCell cell = make_cell(seedling.kind, seedling.identity);
    cell.x = seedling.x;
    cell.y = seedling.y;
    cells.push_back(std::move(cell));
  }
  visited_.push_back(place);
  return buckets_[place] = std::move(cells);
}

void Slide::forget_oldest(std::size_t keep) {
  while (visited_.size() > keep) {
    buckets_.erase(visited_.front());
    visited_.pop_front();
  }
}

std::vector<const SlideCell*> Slide::cells_in(double left, double top, double right, double bottom) {
  constexpr double beyond = max_site_extent + max_drift + max_reach;
  const auto index = [](double um) { return static_cast<std::int64_t>(std::floor(um / bucket_size)); };
  const std::int64_t first_column = index(left - beyond), last_column = index(right + beyond);
  const std::int64_t first_row = index(top - beyond), last_row = index(bottom + beyond);
  const auto asked = static_cast<std::size_t>((last_column - first_column + 1) * (last_row - first_row + 1));
  forget_oldest(2 * asked + 16);

  std::vector<const SlideCell*> found;
  for (std::int64_t row = first_row; row <= last_row; ++row) {
    for (std::int64_t column = first_column; column <= last_column; ++column) {
      for (const SlideCell& cell : bucket({column, row})) {
        const double reach = cell.outline.max_radius() + 1;
        if (cell.x + reach > left && cell.x - reach < right && cell.y + reach > top &&
            cell.y - reach < bottom) {
          found.push_back(&cell);
        }
      }
    }
  }
  return found;
}

}  // namespace smearscope::smear
