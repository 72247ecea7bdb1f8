#include <algorithm>
#include <cmath>
#include <string>

#include "segmentation/outlines.h"
#include "smearscope/error.h"

namespace smearscope::corpus {
namespace {

constexpr int corner = 4;          // pixels that a stroke's end may be off a corner: pens have round ends
constexpr int beyond = 4;          // pixels beyond a corner that tell if a stroke ends there
constexpr int most_crossings = 2;  // of an outline's corners, that are places where others cross
constexpr int hidden = 12;         // pixels of darkness, beyond the end of a stroke, in which a side may be
constexpr int smallest_hole = 2;   // pixels between opposite sides
constexpr int smallest_outline = 14;  // pixels from outer edge to outer edge
constexpr std::size_t most_strokes = 1500, most_outlines = 4000;

// A stroke that may be the side of an outline, or a place where a side may be that isn't seen.
struct Candidate {
  Stroke stroke;
  bool is_seen = true;
  bool is_cut = false;  // by the picture's border: the pen may be wider
};

// Where strokes across go out of sight: sides that can't be seen. `length` is of the picture along them.
void add_unseen(std::vector<Candidate>& sides, const std::vector<Stroke>& across, int length) {
  std::vector<int> places;
  const auto add_in_the_dark = [&](int place) {
    const bool has_side = std::any_of(sides.begin(), sides.end(), [&](const Candidate& side) {
      return side.stroke.lo - hidden <= place && place <= side.stroke.hi + hidden;
    });
    if (!has_side) places.push_back(place);
  };
  for (const Stroke& stroke : across) {
    if (stroke.seen_from <= corner) {
      places.push_back(0);
    } else if (stroke.seen_from - stroke.from >= hidden) {
      add_in_the_dark(stroke.seen_from);
    }
    if (stroke.seen_to >= length - corner) {
      places.push_back(length);
    } else if (stroke.to - stroke.seen_to >= hidden) {
      add_in_the_dark(stroke.seen_to);
    }
  }
  std::sort(places.begin(), places.end());
  places.erase(std::unique(places.begin(), places.end()), places.end());
  for (const int place : places) sides.push_back({{place, place, 0, 0, 0, 0}, false});
}

class OutlineFinder {
 public:
  OutlineFinder(const PenLines& transposed, const PenLines& sums, cv::Size size)
      : transposed_(transposed), sums_(sums), size_(size) {}

  std::vector<Outline> find(const std::vector<Stroke>& columns, const std::vector<Stroke>& rows) {
    std::vector<Candidate> x_sides, y_sides;
    const auto is_cut = [](const Stroke& stroke, int length) {
      return stroke.lo == 0 || stroke.hi == length;
    };
    for (const Stroke& stroke : columns) x_sides.push_back({stroke, true, is_cut(stroke, size_.width)});
    for (const Stroke& stroke : rows) y_sides.push_back({stroke, true, is_cut(stroke, size_.height)});
    add_unseen(x_sides, rows, size_.width);
    add_unseen(y_sides, columns, size_.height);
    const auto by_place = [](const Candidate& a, const Candidate& b) { return a.stroke.lo < b.stroke.lo; };
    std::sort(x_sides.begin(), x_sides.end(), by_place);
    std::sort(y_sides.begin(), y_sides.end(), by_place);
    for (std::size_t a = 0; a < x_sides.size(); ++a) {
      for (std::size_t b = a + 1; b < x_sides.size(); ++b) add_between(x_sides[a], x_sides[b], y_sides);
    }
    return std::move(found_);
  }

 private:
  static bool same_pen(const Candidate& a, const Candidate& b) {
    if (!a.is_seen || !b.is_seen) return true;
    const int wider = a.stroke.width() - b.stroke.width();
    return std::abs(wider) <= 1 || (wider > 0 && b.is_cut) || (wider < 0 && a.is_cut);
  }

  // Does a stroke along y (or x) reach from `first` to `second`, sides across it?
  static bool spans(const Candidate& side, const Candidate& first, const Candidate& second) {
    if (!side.is_seen) return true;
    const Stroke& stroke = side.stroke;
    if (stroke.from > first.stroke.lo + corner || stroke.to < second.stroke.hi - corner) return false;
    // It must not be seen beyond a side that can't be seen.
    if (!first.is_seen && stroke.seen_from < first.stroke.lo - corner) return false;
    return second.is_seen || stroke.seen_to <= second.stroke.hi + corner;
  }

  static bool are_apart(const Candidate& first, const Candidate& second) {
    if (second.stroke.lo - first.stroke.hi < smallest_hole) return false;
    return !first.is_seen || !second.is_seen || second.stroke.hi - first.stroke.lo >= smallest_outline;
  }

  void add_between(const Candidate& left, const Candidate& right, const std::vector<Candidate>& y_sides) {
    if (!are_apart(left, right) || !same_pen(left, right)) return;
    if (!left.is_seen && !right.is_seen) return;
    if (left.is_seen && right.is_seen &&
        std::min(left.stroke.to, right.stroke.to) - std::max(left.stroke.from, right.stroke.from) <
            smallest_hole)
      return;
    std::vector<const Candidate*> crossing;
    for (const Candidate& side : y_sides) {
      if (same_pen(side, left) && same_pen(side, right) && spans(side, left, right))
        crossing.push_back(&side);
    }
    for (std::size_t c = 0; c < crossing.size(); ++c) {
      for (std::size_t d = c + 1; d < crossing.size(); ++d) {
        const Candidate &top = *crossing[c], &bottom = *crossing[d];
        if (!are_apart(top, bottom) || !same_pen(top, bottom)) continue;
        if (!top.is_seen && !bottom.is_seen) continue;
        if (spans(left, top, bottom) && spans(right, top, bottom)) add(left, right, top, bottom);
      }
    }
  }

  // Is most of what can be known of a side inked? `lo` to `hi` across, `from` and `to` along it.
  static bool is_inked(const PenLines& sums, const Side& side, int from, int to) {
    const int known = (to - from) * (side.hi - side.lo) - sums.unknown.sum(from, side.lo, to, side.hi);
    return 10 * sums.ink.sum(from, side.lo, to, side.hi) >= 6 * known;
  }

  // Does a side go on before (or after) the place `from` (or `to`) where it should end?
  static bool goes_on_before(const PenLines& lines, const Side& side, int from) {
    return is_inked(lines, side, from - 1 - beyond, from - 1);
  }
  static bool goes_on_after(const PenLines& lines, const Side& side, int to) {
    return is_inked(lines, side, to + 1, to + 1 + beyond);
  }

  // Corners at which the strokes of both sides go on.
  int crossings(const Outline& o) const {
    int count = 0;
    for (const Side* x_side : {&o.left, &o.right}) {
      for (const Side* y_side : {&o.top, &o.bottom}) {
        if (!x_side->is_seen() || !y_side->is_seen()) continue;
        const bool x_goes_on = y_side == &o.top ? goes_on_before(transposed_, *x_side, o.top.lo)
                                                : goes_on_after(transposed_, *x_side, o.bottom.hi);
        const bool y_goes_on = x_side == &o.left ? goes_on_before(sums_, *y_side, o.left.lo)
                                                 : goes_on_after(sums_, *y_side, o.right.hi);
        count += int(x_goes_on && y_goes_on);
      }
    }
    return count;
  }

  void add(const Candidate& left, const Candidate& right, const Candidate& top, const Candidate& bottom) {
    Outline o{{left.stroke.lo, left.stroke.hi},
              {right.stroke.lo, right.stroke.hi},
              {top.stroke.lo, top.stroke.hi},
              {bottom.stroke.lo, bottom.stroke.hi}};
    const cv::Rect in = o.inner();  // at the corners there is ink in any case
    const bool inked = is_inked(transposed_, o.left, in.y, in.br().y) &&
                       is_inked(transposed_, o.right, in.y, in.br().y) &&
                       is_inked(sums_, o.top, in.x, in.br().x) && is_inked(sums_, o.bottom, in.x, in.br().x);
    if (!inked) return;
    if (crossings(o) > most_crossings) return;
    found_.push_back(o);
    if (found_.size() > most_outlines) throw Error("there are too many lines for a drawing of rectangles");
  }

  const PenLines &transposed_, &sums_;
  cv::Size size_;
  std::vector<Outline> found_;
};

}  // namespace

std::vector<Outline> possible_outlines(const std::vector<Stroke>& columns, const std::vector<Stroke>& rows,
                                       const PenLines& transposed, const PenLines& sums, cv::Size size) {
  if (columns.size() > most_strokes || rows.size() > most_strokes)
    throw Error("there are too many lines for a drawing of rectangles");
  return OutlineFinder(transposed, sums, size).find(columns, rows);
}

}  // namespace smearscope::corpus
