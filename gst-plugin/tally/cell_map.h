// The cells that have been seen on a slide, each at its place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

namespace smearscope {

// Slide pixels: pixels of the frame, from an origin that stays where it is on the slide while the stage
// moves.
struct Place {
  double x = 0, y = 0;
};

struct SlideBox {
  double x_min = 0, y_min = 0, x_max = 0, y_max = 0;

  Place centre() const { return {(x_min + x_max) / 2, (y_min + y_max) / 2}; }
  double width() const { return x_max - x_min; }
  double height() const { return y_max - y_min; }
  SlideBox moved(double dx, double dy) const { return {x_min + dx, y_min + dy, x_max + dx, y_max + dy}; }
  SlideBox grown(double by) const { return {x_min - by, y_min - by, x_max + by, y_max + by}; }
  bool contains(const SlideBox& other) const {
    return other.x_min >= x_min && other.y_min >= y_min && other.x_max <= x_max && other.y_max <= y_max;
  }
};

// Intersection over union; 0 where nothing is in common.
double overlap_of(const SlideBox& a, const SlideBox& b);

// Boxes by number, 0, 1, 2, ... in the order in which they were added. One thread at a time.
class CellMap {
 public:
  std::size_t add(const SlideBox& box);

  // One more look at a cell: its box becomes the mean of the looks so far, of the last 16 or so.
  void see(std::size_t cell, const SlideBox& box);

  void move(std::size_t cell, double dx, double dy);
  void remove(std::size_t cell);  // its number stays, with an empty box, and is found nowhere

  const SlideBox& operator[](std::size_t cell) const { return cells_[cell].box; }
  std::size_t size() const { return cells_.size(); }
  void clear();

  // Cells whose centres lie in `area`, in rising order.
  std::vector<std::size_t> in(const SlideBox& area) const;

  // The cell whose centre is nearest to `place`, if one is nearer than `within`; the first of equals.
  std::optional<std::size_t> nearest(const Place& place, double within) const;

 private:
  struct Cell {
    SlideBox box;
    std::uint64_t bucket = 0;  // that it is in: by where it was first seen, or moved to
    unsigned looks = 1;
  };
  void take_out(std::size_t cell);
  // Calls visit(number, centre) for each cell in the buckets that `area` touches.
  template <typename Visit>
  void each_near(const SlideBox& area, Visit visit) const;

  std::vector<Cell> cells_;
  std::unordered_map<std::uint64_t, std::vector<std::size_t>> buckets_;
};

inline constexpr double least_overlap = 1.0 / 3;  // of boxes that may be one cell's

// For each of `found` the place in `known` of the cell that it is, or -1: each has one partner at most, the
// best overlaps come first, and those below a third are none. Known boxes are cut to `view` before: of a cell
// that reaches out of the picture no more can have been found.
std::vector<std::ptrdiff_t> match(const std::vector<SlideBox>& found, const std::vector<SlideBox>& known,
                                  const SlideBox& view);

}  // namespace smearscope
