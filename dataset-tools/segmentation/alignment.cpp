#include "segmentation/alignment.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <opencv2/imgproc.hpp>
#include <string>
#include <vector>

namespace smearscope::corpus {
namespace {

constexpr int largest_shift = 48;  // pixels
constexpr int coarse_side = 256;   // pixels of the longer side, where contents are compared
constexpr int drawn_drop = 30;     // grey levels; what became darker by so much was drawn upon
constexpr double as_good = 0.9;    // a shift by a pixel must lower the distance by more, to be one
// Least correlation of the details of a picture and its copy. Of 600 copies (BCCD, Chula, TXL-PBC and PBC,
// JPEG qualities of 60 to 95, up to 20 rectangles) none had less; of different pictures of a set none had
// more than 0.38.
constexpr double same_content = 0.6;
// Share of the blocks that can be drawn upon: 20 rectangles and a wide pen make 0.3. Where more is darker,
// one picture is darker than the other, and what is left of it tells too little.
constexpr double most_drawn = 0.5;

std::string size_text(const cv::Mat& image) {
  return std::to_string(image.cols) + "x" + std::to_string(image.rows);
}

// Pictures are compared by the means of blocks of so many pixels a side.
int block_size(const cv::Mat& image) {
  return std::max(1, std::max(image.cols, image.rows) / coarse_side);
}

// What distinguishes a place in a smear: grey values against their neighbourhood, without its extremes (the
// edge of the microscope's field is the same in all pictures of a set).
cv::Mat1f details(const cv::Mat1f& blocks) {
  cv::Mat1f around;
  cv::boxFilter(blocks, around, CV_32F, {9, 9}, {-1, -1}, true, cv::BORDER_REFLECT);
  return cv::min(cv::max(blocks - around, -30), 30);
}

struct Blocks {
  cv::Mat1f copy, picture;  // means; of the copy without what is drawn
  cv::Mat1b drawn;          // 1: part of the block is drawn upon
};

// Of two pictures of one size.
Blocks blocks_of(const cv::Mat1b& copy, const cv::Mat1b& picture) {
  const int side = block_size(copy);
  const cv::Size size(copy.cols / side, copy.rows / side);
  Blocks blocks{cv::Mat1f(size), cv::Mat1f(size), cv::Mat1b::zeros(size)};
  std::vector<int> copy_sum(std::size_t(size.width)), picture_sum(copy_sum.size());
  for (int row = 0; row < size.height; ++row) {
    std::fill(copy_sum.begin(), copy_sum.end(), 0);
    std::fill(picture_sum.begin(), picture_sum.end(), 0);
    for (int y = row * side; y < (row + 1) * side; ++y) {
      const std::uint8_t *a = copy[y], *b = picture[y];
      for (int column = 0, x = 0; column < size.width; ++column) {
        int sum_a = 0, sum_b = 0, drawn = 0;
        for (const int end = x + side; x < end; ++x) {
          const bool is_drawn = b[x] - a[x] > drawn_drop;
          sum_a += is_drawn ? b[x] : a[x];
          sum_b += b[x];
          drawn |= int(is_drawn);
        }
        copy_sum[std::size_t(column)] += sum_a;
        picture_sum[std::size_t(column)] += sum_b;
        blocks.drawn(row, column) |= std::uint8_t(drawn);
      }
    }
    for (int column = 0; column < size.width; ++column) {
      blocks.copy(row, column) = float(copy_sum[std::size_t(column)]) / float(side * side);
      blocks.picture(row, column) = float(picture_sum[std::size_t(column)]) / float(side * side);
    }
  }
  return blocks;
}

// Mean distance of grey values, over a grid of pixels, if pixel p of the copy is pixel p + shift of the
// picture. What differs more than an edge of a cell does is drawn, and counts no more than that.
double distance(const cv::Mat1b& copy, const cv::Mat1b& picture, cv::Point shift) {
  constexpr int most = 40;
  const int step = std::max(1, std::max(copy.cols, copy.rows) / 192);
  std::int64_t sum = 0, count = 0;
  for (int y = std::max(0, -shift.y); y < std::min(copy.rows, picture.rows - shift.y); y += step) {
    const std::uint8_t *a = copy[y], *b = picture[y + shift.y] + shift.x;
    for (int x = std::max(0, -shift.x); x < std::min(copy.cols, picture.cols - shift.x); x += step) {
      sum += std::min(most, std::abs(int(a[x]) - int(b[x])));
      ++count;
    }
  }
  return count > 0 ? double(sum) / double(count) : std::numeric_limits<double>::max();
}

// The shift within `radius` of `middle` with the least distance.
cv::Point nearest_shift(const cv::Mat1b& copy, const cv::Mat1b& picture, cv::Point middle, int radius) {
  cv::Point best = middle;
  double least = distance(copy, picture, middle);
  for (int dy = -radius; dy <= radius; ++dy) {
    for (int dx = -radius; dx <= radius; ++dx) {
      const cv::Point shift = middle + cv::Point(dx, dy);
      const double here = distance(copy, picture, shift);
      if (here < least) {
        least = here;
        best = shift;
      }
    }
  }
  return best;
}

// Correlation of the details of two pictures of one size, but for what is much darker in the copy: the pen.
double correlation(const cv::Mat1b& copy, const cv::Mat1b& picture) {
  const Blocks blocks = blocks_of(copy, picture);
  if (blocks.drawn.empty() || cv::countNonZero(blocks.drawn) > most_drawn * double(blocks.drawn.total()))
    return 0;
  const cv::Mat1f a = details(blocks.copy), b = details(blocks.picture);
  double ab = 0, aa = 0, bb = 0;
  for (int y = 0; y < a.rows; ++y) {
    for (int x = 0; x < a.cols; ++x) {
      if (blocks.drawn(y, x)) continue;
      ab += double(a(y, x)) * b(y, x);
      aa += double(a(y, x)) * a(y, x);
      bb += double(b(y, x)) * b(y, x);
    }
  }
  return aa > 0 && bb > 0 ? ab / std::sqrt(aa * bb) : 0;
}

// The shift of the copy, by the means of blocks, then by the pixels themselves.
cv::Point find_shift(const cv::Mat1b& copy, const cv::Mat1b& picture) {
  const int side = block_size(copy);
  const auto coarse = [side](const cv::Mat1b& image) {
    cv::Mat1f blocks;
    const cv::Size size(image.cols / side, image.rows / side);
    const cv::Mat whole_blocks = image(cv::Rect({}, size * side));
    cv::resize(cv::Mat1f(whole_blocks), blocks, size, 0, 0, cv::INTER_AREA);
    return details(blocks);
  };
  const cv::Mat1f coarse_copy = coarse(copy), coarse_picture = coarse(picture);
  // Only the middle of the copy, so that it lies on the picture wherever it is moved to.
  const int margin = largest_shift / side + 2;
  const cv::Rect middle(margin, margin, coarse_copy.cols - 2 * margin, coarse_copy.rows - 2 * margin);
  if (middle.width < 16 || middle.height < 16) return {};
  cv::Mat1f padded, correlation;
  cv::copyMakeBorder(coarse_picture, padded, 0, 2 * margin, 0, 2 * margin, cv::BORDER_CONSTANT, 0);
  const cv::Rect reach(0, 0, middle.width + 2 * margin, middle.height + 2 * margin);
  cv::matchTemplate(padded(reach), coarse_copy(middle), correlation, cv::TM_CCOEFF_NORMED);
  cv::Point at;
  cv::minMaxLoc(correlation, nullptr, nullptr, nullptr, &at);
  return nearest_shift(copy, picture, (at - cv::Point(margin, margin)) * side, side + 1);
}

bool same_aspect(const cv::Mat& a, const cv::Mat& b) {
  // Sizes are rounded to whole pixels.
  return std::abs(double(a.cols) * b.rows - double(b.cols) * a.rows) <=
         std::max(a.cols + a.rows, b.cols + b.rows);
}

AlignedCopy shifted(const cv::Mat1b& copy, const cv::Mat1b& picture, cv::Point shift) {
  const cv::Rect common = cv::Rect({}, copy.size()) & cv::Rect(-shift, picture.size());
  AlignedCopy aligned{copy(common), picture(common + shift)};
  aligned.shift_x = common.x + shift.x;
  aligned.shift_y = common.y + shift.y;
  return aligned;
}

}  // namespace

AlignedCopy align_copy(const cv::Mat1b& copy, const cv::Mat1b& picture) {
  const std::string sizes = size_text(copy) + " and " + size_text(picture) + " pixels";
  const bool scalable =
      same_aspect(copy, picture) && copy.cols <= 8 * picture.cols && picture.cols <= 8 * copy.cols;
  const bool cropped = std::abs(copy.cols - picture.cols) <= largest_shift &&
                       std::abs(copy.rows - picture.rows) <= largest_shift;
  if (!scalable && !cropped) throw Error("their sizes, " + sizes + ", are of different shapes");

  double best = -1;
  bool uncertain = false;
  // A good place is one from which each step leads away.
  const auto fits = [&](const AlignedCopy& aligned) {
    const double here = correlation(aligned.copy, aligned.picture);
    best = std::max(best, here);
    if (here < same_content) return false;
    const cv::Point better = nearest_shift(aligned.copy, aligned.picture, {}, 1);
    const bool certain = distance(aligned.copy, aligned.picture, better) >=
                         as_good * distance(aligned.copy, aligned.picture, {});
    uncertain |= !certain;
    return certain;
  };
  if (scalable) {
    AlignedCopy aligned{copy, picture};
    if (copy.size() != picture.size()) {
      const bool enlarged = copy.cols > picture.cols;
      cv::resize(picture, aligned.picture, copy.size(), 0, 0, enlarged ? cv::INTER_LINEAR : cv::INTER_AREA);
    }
    aligned.scale_x = double(picture.cols) / copy.cols;
    aligned.scale_y = double(picture.rows) / copy.rows;
    if (fits(aligned)) return aligned;
  }
  if (cropped) {
    const cv::Point shift = find_shift(copy, picture);
    if (std::max(std::abs(shift.x), std::abs(shift.y)) <= largest_shift) {
      const AlignedCopy aligned = shifted(copy, picture, shift);
      if (fits(aligned)) return aligned;
    }
  }
  if (uncertain)
    throw Error("one is shifted against the other by an amount that can't be told with certainty");
  throw Error("they show different things (sizes " + sizes + ", correlation " +
              std::to_string(best).substr(0, 5) + ")");
}

}  // namespace smearscope::corpus
