#include <algorithm>
#include <array>

#include "segmentation/outlines.h"

namespace smearscope::corpus {
namespace {

constexpr int least_free = 5;          // pixels along a side, for a part of a pixel to be told
constexpr std::size_t margin = 2;      // pixels beside the pen, which its soft edge may cover
constexpr double no_ink = 0.12;        // mean share of a column covered that noise and blur make
constexpr double most_correction = 1;  // pixels

class Refiner {
 public:
  Refiner(std::vector<Outline> outlines, const PenEvidence& pen, const cv::Mat1b& copy,
          const cv::Mat1b& picture)
      : outlines_(std::move(outlines)),
        pen_(pen),
        copy_(copy),
        picture_(picture),
        covered_(cv::Mat1b::zeros(copy.size())) {
    for (const Outline& o : outlines_) cover(o, +1);
  }

  std::vector<Box> find() {
    for (int pass = 0; pass < 2; ++pass) {
      for (Outline& o : outlines_) {
        cover(o, -1);
        for (const auto side : {&Outline::left, &Outline::right, &Outline::top, &Outline::bottom})
          move(o, side);
        cover(o, +1);
      }
    }
    std::vector<Box> boxes;
    for (const Outline& o : outlines_) {
      cover(o, -1);
      boxes.push_back({middle(o, &Outline::left), middle(o, &Outline::top), middle(o, &Outline::right),
                       middle(o, &Outline::bottom)});
      cover(o, +1);
    }
    return boxes;
  }

 private:
  static bool along_y(Side Outline::*side) { return side == &Outline::left || side == &Outline::right; }
  int length_across(Side Outline::*side) const { return along_y(side) ? copy_.cols : copy_.rows; }

  // Calls visit(y, x) for the pixels of a row or column of a side: `whole`, or between the sides across only.
  template <typename Visit>
  void for_pixels(const Outline& o, Side Outline::*side, int across, bool whole, const Visit& visit) const {
    if (across < 0 || across >= length_across(side)) return;
    const bool is_column = along_y(side);
    const Side &first = is_column ? o.top : o.left, &second = is_column ? o.bottom : o.right;
    const int from = std::max(0, whole ? first.lo : first.hi);
    const int to = std::min(is_column ? copy_.rows : copy_.cols, whole ? second.hi : second.lo);
    for (int at = from; at < to; ++at) is_column ? visit(at, across) : visit(across, at);
  }

  void cover(const Outline& o, int by) {
    const cv::Rect out = o.outer() & cv::Rect({}, copy_.size()), in = o.inner();
    for (int y = out.y; y < out.br().y; ++y) {
      for (int x = out.x; x < out.br().x; ++x) {
        if (in.contains({x, y}))
          x = std::max(x, in.br().x - 1);
        else
          covered_(y, x) = std::uint8_t(covered_(y, x) + by);
      }
    }
  }

  // Evidence, that no other outline covers, of a row or column of a side.
  int evidence(const Outline& o, Side Outline::*side, int across, bool whole) const {
    int sum = 0;
    for_pixels(o, side, across, whole,
               [&](int y, int x) { sum += covered_(y, x) == 0 ? pen_.evidence(y, x) : 0; });
    return sum;
  }

  // Moves the edges of a side by a pixel, if the outline then covers more evidence.
  void move(Outline& o, Side Outline::*side) const {
    const Side now = o.*side;
    if (!now.is_seen()) return;
    // The edge towards the middle of the outline ends at the sides across.
    const bool lo_is_outer = side == &Outline::left || side == &Outline::top;
    const auto gain = [&](bool is_lo, int by) {
      if (by == 0) return 0;
      const bool grows = is_lo == (by < 0);
      const int across = is_lo ? now.lo - (grows ? 1 : 0) : now.hi - (grows ? 0 : 1);
      return (grows ? 1 : -1) * evidence(o, side, across, is_lo == lo_is_outer);
    };
    int most = 0;
    for (int lo = -1; lo <= 1; ++lo) {
      for (int hi = -1; hi <= 1; ++hi) {
        const Side moved{now.lo + lo, now.hi + hi};
        if (moved.lo < 0 || moved.hi > length_across(side) || !moved.is_seen() ||
            moved.hi - moved.lo > widest_pen)
          continue;
        const int sum = gain(true, lo) + gain(false, hi);
        if (sum <= most) continue;
        most = sum;
        o.*side = moved;
      }
    }
  }

  double middle(const Outline& o, Side Outline::*side) const {
    const Side s = o.*side;
    const double whole = (s.lo + s.hi) / 2.0;
    if (!s.is_seen()) return whole;
    // The border of the picture may have cut the pen.
    const int width = std::max(
        {o.left.hi - o.left.lo, o.right.hi - o.right.lo, o.top.hi - o.top.lo, o.bottom.hi - o.bottom.lo});
    if (s.lo == 0) return std::max(0.0, s.hi - width / 2.0);
    if (s.hi == length_across(side)) return std::min(double(s.hi), s.lo + width / 2.0);
    // Where no other stroke is near, the mean place of the ink.
    std::vector<bool> free;
    for (int across = s.lo - int(margin); across < s.hi + int(margin); ++across) {
      std::size_t at = 0;
      for_pixels(o, side, across, false, [&](int y, int x) {
        if (free.size() <= at) free.push_back(true);
        if (covered_(y, x) > 0 || pen_.unknown(y, x)) free[at] = false;
        ++at;
      });
    }
    double weight = 0, place = 0;
    int count = 0;
    for (int across = s.lo - int(margin); across < s.hi + int(margin); ++across) {
      double ink = 0;
      std::size_t at = 0;
      count = 0;
      for_pixels(o, side, across, false, [&](int y, int x) {
        // Soft edges of the sides across are left out.
        if (free[at] && at >= margin && at + margin < free.size()) {
          ink += std::clamp(double(picture_(y, x) - copy_(y, x)) / (picture_(y, x) - pen_.grey), 0.0, 1.0);
          ++count;
        }
        ++at;
      });
      if (count == 0 || ink / count < no_ink) continue;
      weight += ink;
      place += ink * (across + 0.5);
    }
    if (count < least_free || weight <= 0) return whole;
    return std::clamp(place / weight, whole - most_correction, whole + most_correction);
  }

  std::vector<Outline> outlines_;
  const PenEvidence& pen_;
  const cv::Mat1b &copy_, &picture_;
  cv::Mat1b covered_;  // by how many outlines, of each pixel
};

}  // namespace

std::vector<Box> middle_lines(std::vector<Outline> outlines, const PenEvidence& pen, const cv::Mat1b& copy,
                              const cv::Mat1b& picture) {
  return Refiner(std::move(outlines), pen, copy, picture).find();
}

}  // namespace smearscope::corpus
