#include "segmentation/strokes.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <opencv2/imgproc.hpp>
#include <utility>

namespace smearscope::corpus {
namespace {

// Pixels, but for shares; found by drawing into smears of BCCD, Chula, TXL-PBC and PBC
// (tests/dataset-tools/measure_drawn_rectangles).
constexpr int smoothed = 5;  // along a line: what is most of these holds
// A line is where, of `window` pixels along it, `enough` may be ink and some are: more than a pen is wide,
// less than a side of the smallest rectangle is long.
constexpr int window = 11, enough = 9, enough_seen = 3;
constexpr int bridged = 4;        // a gap along a stroke that noise may make
constexpr int shortest_edge = 6;  // the window takes up to three from each end of a line
constexpr double as_good = 0.75;  // share of a stroke's evidence
constexpr double usual = 0.2;     // share of the commonest width

// Of pixels in line: how many of `length` around each are 1.
cv::Mat1b count_in_line(const cv::Mat1b& ones, int length, bool along_rows) {
  cv::Mat1b count;
  const cv::Size size = along_rows ? cv::Size(length, 1) : cv::Size(1, length);
  cv::boxFilter(ones, count, CV_8U, size, {-1, -1}, false, cv::BORDER_REPLICATE);
  return count;
}

cv::Mat1b smooth(const cv::Mat1b& ink, bool along_rows) {
  cv::Mat1b count = count_in_line(ink, smoothed, along_rows);
  for (std::uint8_t& pixel : count) pixel = pixel > smoothed / 2;
  return count;
}

cv::Mat1b lines_of(const cv::Mat1b& ink, const cv::Mat1b& unknown, bool along_rows) {
  const cv::Mat1b possible = ink | unknown;
  const cv::Mat1b possible_count = count_in_line(possible, window, along_rows),
                  ink_count = count_in_line(ink, window, along_rows);
  cv::Mat1b lines(ink.size());
  for (int y = 0; y < lines.rows; ++y) {
    const std::uint8_t *may_be = possible[y], *may_be_count = possible_count[y], *seen = ink_count[y];
    std::uint8_t* line = lines[y];
    for (int x = 0; x < lines.cols; ++x)
      line[x] = may_be[x] & (may_be_count[x] >= enough) & (seen[x] >= enough_seen);
  }
  return lines;
}

// The first 1 of a row from x on, or `width`.
int next_one(const std::uint8_t* row, int x, int width) {
  const void* found = x < width ? std::memchr(row + x, 1, std::size_t(width - x)) : nullptr;
  return found ? int(static_cast<const std::uint8_t*>(found) - row) : width;
}

// How many pixels of lines there are from (x, y) on, in steps of a row down or up; no more than `most`.
int thickness_at(const cv::Mat1b& lines, int x, int y, int step, int most) {
  int thickness = 0;
  while (thickness < most && y >= 0 && y < lines.rows && lines(y, x)) {
    ++thickness;
    y += step;
  }
  return thickness;
}

using WidthCounts = std::array<int, widest_pen + 2>;

void count_widths(const cv::Mat1b& lines, WidthCounts& count) {
  for (int y = 0; y < lines.rows; ++y) {
    const std::uint8_t* above = y > 0 ? lines[y - 1] : nullptr;
    for (int x = next_one(lines[y], 0, lines.cols); x < lines.cols;
         x = next_one(lines[y], x + 1, lines.cols)) {
      if (!above || !above[x]) ++count[std::size_t(thickness_at(lines, x, y, +1, widest_pen + 1))];
    }
  }
}

// What a cross-section of a stroke is.
enum class Section { ink, unknown, empty };

class StrokeFinder {
 public:
  StrokeFinder(const PenLines& pen, const std::vector<int>& usual_widths)
      : pen_(pen), lines_(pen.lines), usual_widths_(usual_widths) {}

  std::vector<Stroke> find() {
    for (int y = 0; y < lines_.rows; ++y) {
      for (const int step : {+1, -1}) add_from_edges(y, step);
    }
    return without_doubles();
  }

 private:
  struct Found {
    Stroke stroke;
    int edge_from, edge_to;  // where its edge is seen
    int evidence;            // there
  };

  // Strokes that begin in row y, with no line in the row before, and are wide in the direction of `step`.
  void add_from_edges(int y, int step) {
    const int before = y - step;
    const std::uint8_t *here = lines_[y],
                       *outside = before >= 0 && before < lines_.rows ? lines_[before] : nullptr;
    int start = -1, last = -1, count = 0;
    const auto finish = [&] {
      if (count >= shortest_edge) add_at_edge(y, step, start, last + 1);
      start = -1;
      count = 0;
    };
    for (int x = next_one(here, 0, lines_.cols); x < lines_.cols; x = next_one(here, x + 1, lines_.cols)) {
      if (start >= 0 && x - last > bridged) finish();
      if (outside && outside[x]) continue;
      if (start < 0) start = x;
      last = x;
      ++count;
    }
    if (start >= 0) finish();
  }

  // The band that begins there is one stroke, or its outermost stroke has a usual width.
  void add_at_edge(int y, int step, int from, int to) {
    std::vector<int> thickness;
    for (int x = from; x < to; ++x) {
      const int here = thickness_at(lines_, x, y, step, widest_pen + 1);
      if (here > 0) thickness.push_back(here);
    }
    const auto middle = thickness.begin() + std::ptrdiff_t(thickness.size() / 2);
    std::nth_element(thickness.begin(), middle, thickness.end());
    if (*middle <= widest_pen) add(y, step * *middle, from, to);
    for (const int width : usual_widths_) {
      if (width < *middle) add(y, step * width, from, to);
    }
  }

  // A stroke from row y on, `width` rows down or (below 0) up.
  void add(int y, int width, int from, int to) {
    Stroke stroke;
    stroke.lo = std::max(0, width > 0 ? y : y + width + 1);
    stroke.hi = std::min(lines_.rows, width > 0 ? y + width : y + 1);
    grow(stroke, (from + to) / 2);
    found_.push_back({stroke, from, to, pen_.evidence.sum(from, stroke.lo, to, stroke.hi)});
  }

  Section section(const Stroke& stroke, int x) const {
    const int known = stroke.width() - pen_.unknown.sum(x, stroke.lo, x + 1, stroke.hi);
    if (2 * known < stroke.width()) return Section::unknown;
    return 2 * pen_.ink.sum(x, stroke.lo, x + 1, stroke.hi) >= known ? Section::ink : Section::empty;
  }

  // Sets the ends of a stroke, going both ways from x.
  void grow(Stroke& stroke, int x) const {
    const auto go = [&](int step, int& end, int& seen) {
      int gap = 0;
      end = seen = x;
      for (int at = x; at >= 0 && at < lines_.cols && gap <= bridged; at += step) {
        const Section here = section(stroke, at);
        gap = here == Section::empty ? gap + 1 : 0;
        if (here != Section::empty) end = at;
        if (here == Section::ink) seen = at;
      }
    };
    go(-1, stroke.from, stroke.seen_from);
    go(+1, stroke.to, stroke.seen_to);
    ++stroke.to;
    ++stroke.seen_to;
  }

  // Soft edges make strokes that another one, a pixel off, explains nearly as well.
  std::vector<Stroke> without_doubles() {
    std::stable_sort(found_.begin(), found_.end(),
                     [](const Found& a, const Found& b) { return a.evidence > b.evidence; });
    std::vector<Stroke> kept;
    for (const Found& one : found_) {
      const Stroke& s = one.stroke;
      const bool is_double = std::any_of(kept.begin(), kept.end(), [&](const Stroke& other) {
        return std::abs(s.lo - other.lo) <= 1 && std::abs(s.hi - other.hi) <= 1 &&
               s.from >= other.from - bridged && s.to <= other.to + bridged &&
               pen_.evidence.sum(one.edge_from, other.lo, one.edge_to, other.hi) >= as_good * one.evidence;
      });
      if (!is_double) kept.push_back(s);
    }
    return kept;
  }

  const PenLines& pen_;
  const cv::Mat1b& lines_;
  const std::vector<int>& usual_widths_;
  std::vector<Found> found_;
};

}  // namespace

RectangleSums::RectangleSums(const cv::Mat& values) {
  if (values.depth() == CV_8U) {
    cv::integral(values, sums_, CV_32S);
    return;
  }
  sums_ = cv::Mat1i::zeros(values.rows + 1, values.cols + 1);
  for (int y = 0; y < values.rows; ++y) {
    const std::int16_t* value = values.ptr<std::int16_t>(y);
    const int* above = sums_[y] + 1;
    int* here = sums_[y + 1] + 1;
    int row = 0;
    for (int x = 0; x < values.cols; ++x) {
      row += value[x];
      here[x] = above[x] + row;
    }
  }
}

int RectangleSums::sum(int x_min, int y_min, int x_max, int y_max) const {
  if (is_transposed_) {
    std::swap(x_min, y_min);
    std::swap(x_max, y_max);
  }
  x_min = std::max(x_min, 0);
  y_min = std::max(y_min, 0);
  x_max = std::min(x_max, sums_.cols - 1);
  y_max = std::min(y_max, sums_.rows - 1);
  if (x_min >= x_max || y_min >= y_max) return 0;
  return sums_(y_max, x_max) - sums_(y_min, x_max) - sums_(y_max, x_min) + sums_(y_min, x_min);
}

RectangleSums RectangleSums::transposed() const {
  RectangleSums other = *this;
  other.is_transposed_ = !is_transposed_;
  return other;
}

PenLines lines_along_rows(const PenEvidence& pen) {
  const cv::Mat1b ink = smooth(pen.ink, true);
  return {lines_of(ink, pen.unknown, true), RectangleSums(pen.evidence), RectangleSums(pen.unknown),
          RectangleSums(ink)};
}

PenLines lines_along_columns(const PenEvidence& pen, const PenLines& rows) {
  const cv::Mat1b ink = smooth(pen.ink, false);
  return {lines_of(ink, pen.unknown, false).t(), rows.evidence.transposed(), rows.unknown.transposed(),
          RectangleSums(ink).transposed()};
}

std::vector<int> usual_widths(const PenLines& rows, const PenLines& columns) {
  WidthCounts count{};
  count_widths(rows.lines, count);
  count_widths(columns.lines, count);
  const int most = *std::max_element(count.begin(), count.end() - 1);
  std::vector<int> widths;
  for (int width = 1; width <= widest_pen; ++width) {
    if (most > 0 && count[std::size_t(width)] >= usual * most) widths.push_back(width);
  }
  return widths;
}

std::vector<Stroke> find_strokes(const PenLines& lines, const std::vector<int>& usual_widths) {
  return StrokeFinder(lines, usual_widths).find();
}

}  // namespace smearscope::corpus
