// The slide: which cells lie where.
//
// The smear is cut into square buckets. Each bucket's cells are drawn from a hash of (seed, column, row),
// then cells push each other apart a little, as cells do when a drop is spread, except where they stack
// (rouleaux) or happen to overlap. The pushing looks only a bounded distance around, so a bucket's cells do
// not depend on the order in which places are visited: any place, any time, the same cells.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <utility>
#include <vector>

#include "smear/cell.h"

namespace smearscope::smear {

struct SlideSettings {
  std::uint64_t seed = 1;
  double rbc_per_mm2 = 9000;
  double wbc_per_mm2 = 350;
  double platelets_per_mm2 = 700;
};

// Not thread-safe: it remembers the buckets visited last (a few thousand cells at most).
class Slide {
 public:
  explicit Slide(const SlideSettings& settings) : settings_(settings) {}

  // All cells whose outline may reach into the rectangle (um); a superset by at most a few um. Ordered as
  // painted: always the same order for the same cells. Pointers stay valid until the next call.
  std::vector<const SlideCell*> cells_in(double left, double top, double right, double bottom);

 private:
  using Bucket = std::vector<SlideCell>;
  using Place = std::pair<std::int64_t, std::int64_t>;  // column, row

  const Bucket& bucket(Place place);
  void forget_oldest(std::size_t keep);

  SlideSettings settings_;
  std::map<Place, Bucket> buckets_;
  std::list<Place> visited_;  // oldest first
};

}  // namespace smearscope::smear
