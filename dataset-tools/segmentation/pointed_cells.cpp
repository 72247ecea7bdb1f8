#include "segmentation/pointed_cells.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "segmentation/cell_outline.h"
#include "segmentation/diameter.h"
#include "segmentation/foreground.h"
#include "segmentation/unlabelled_cells.h"

namespace smearscope::corpus {
namespace {

// Lengths in diameters, areas in areas, of a typical cell. Measured on Chula RBC-12.
constexpr double usual_diameter = 40;  // pixels: the median, where a picture has no lone cells to measure
constexpr double reach = 0.35;         // how far beside its cell a point may be
constexpr double least_area = 0.06;    // of a cell; the smallest fragments that have a point: 0.1

// What has the area and the convexity (area over that of the hull) of one cell is one. Discs have 0.97, pairs
// that touch 0.88; pairs that overlap by half are as convex as discs, but larger.
constexpr double largest_area = 1.3;
constexpr double convex = 0.93;
constexpr double certain_area = 1.1;    // no larger than this, it may be
constexpr double nearly_convex = 0.87;  // bent or lobed

constexpr double longest = 1.7;  // of a cell with its tail; cells that touch the scale bar are longer
constexpr double thin = 0.125;   // half the width of a tail, or of spikes
constexpr double margin = 2;     // pixels around an outline that are the cell's blurred edge

using Contour = std::vector<cv::Point>;

Box box_of(const cv::Rect& pixels) {
  return {double(pixels.x), double(pixels.y), double(pixels.br().x), double(pixels.br().y)};
}

// Parts of the mask that hold together.
struct Region {
  Contour contour;
  cv::Rect box;
  double area = 0;  // square pixels
  int points = 0;   // in it
};

class Picture {
 public:
  Picture(const cv::Mat& rgb, const std::vector<cv::Point2d>& points);

  PointedCells cells();

 private:
  cv::Point pixel_of(cv::Point2d point) const;
  void measure_regions();
  bool looks_single(const Region& region) const;
  int nearest_region(cv::Point place, cv::Point& there) const;
  std::optional<Box> cell_at(std::size_t index);
  std::optional<Box> cell_among_others(std::size_t index, cv::Point2d place, int label);
  bool owns_the_rest(const Region& region, int label, const Outline& outline) const;
  Box usual_box(cv::Point2d point) const;

  const std::vector<cv::Point2d>& points_;
  Foreground foreground_;
  std::optional<double> measured_;
  double diameter_;   // of a typical cell
  double area_;       // of a disc of that diameter
  cv::Mat1i labels_;  // index into regions_, 0: background
  std::vector<Region> regions_;
  cv::Mat1b taken_;  // cells that points name
  std::optional<OutlineFinder> finder_;
};

Picture::Picture(const cv::Mat& rgb, const std::vector<cv::Point2d>& points)
    : points_(points),
      foreground_(find_foreground(rgb)),
      measured_(red_cell_diameter(foreground_)),
      diameter_(measured_.value_or(usual_diameter)),
      area_(CV_PI / 4 * diameter_ * diameter_),
      taken_(cv::Mat1b::zeros(rgb.size())) {
  fill_pallor(foreground_.mask, area_, points);
  measure_regions();
}

cv::Point Picture::pixel_of(cv::Point2d point) const {
  const cv::Mat1b& mask = foreground_.mask;
  return {std::clamp(int(point.x), 0, mask.cols - 1), std::clamp(int(point.y), 0, mask.rows - 1)};
}

void Picture::measure_regions() {
  const cv::Mat1b& mask = foreground_.mask;
  regions_.resize(std::size_t(cv::connectedComponents(mask, labels_, 8)));
  std::vector<Contour> contours;
  std::vector<cv::Vec4i> tree;
  cv::findContours(mask, contours, tree, cv::RETR_CCOMP, cv::CHAIN_APPROX_SIMPLE);
  for (std::size_t i = 0; i < contours.size(); ++i) {
    const bool hole = tree[i][3] >= 0;
    if (hole) continue;
    Region& region = regions_[std::size_t(labels_(contours[i][0]))];
    region.contour = std::move(contours[i]);
    region.box = cv::boundingRect(region.contour);
    region.area = cv::contourArea(region.contour);
  }
  for (const cv::Point2d& point : points_) ++regions_[std::size_t(labels_(pixel_of(point)))].points;
}

// Has it the size and the shape of one cell?
bool Picture::looks_single(const Region& region) const {
  if (region.area > largest_area * area_) return false;
  Contour hull;
  cv::convexHull(region.contour, hull);
  const double convexity = region.area / cv::contourArea(hull);
  // A piece of two cells may be as small as one, where the border cuts it.
  const cv::Rect inside(1, 1, labels_.cols - 2, labels_.rows - 2);
  const bool cut = (region.box & inside) != region.box;
  return convexity > convex || (!cut && region.area < certain_area * area_ && convexity > nearly_convex);
}

// The region at `place` or the nearest within reach, and where that is; 0 if there is none.
int Picture::nearest_region(cv::Point place, cv::Point& there) const {
  there = place;
  if (const int label = labels_(place)) return label;
  const int radius = int(reach * diameter_);
  const cv::Rect near = cv::Rect(place.x - radius, place.y - radius, 2 * radius + 1, 2 * radius + 1) &
                        cv::Rect({0, 0}, labels_.size());
  int best = 0;
  double distance = radius + 0.5;
  for (int y = near.y; y < near.br().y; ++y) {
    for (int x = near.x; x < near.br().x; ++x) {
      const double here = std::hypot(x - place.x, y - place.y);
      if (!labels_(y, x) || here >= distance) continue;
      best = labels_(y, x);
      distance = here;
      there = {x, y};
    }
  }
  return best;
}

std::optional<Box> Picture::cell_at(std::size_t index) {
  const cv::Point pixel = pixel_of(points_[index]);
  cv::Point there;
  const int label = nearest_region(pixel, there);
  const Region& region = regions_[std::size_t(label)];
  if (label == 0 || region.area < least_area * area_) return std::nullopt;
  const bool beside = there != pixel;
  if (region.points > 1 || !looks_single(region)) {
    const cv::Point2d place = beside ? cv::Point2d(there) + cv::Point2d(0.5, 0.5) : points_[index];
    return cell_among_others(index, place, label);
  }
  if (beside && region.points > 0) return std::nullopt;
  taken_(region.box).setTo(255, labels_(region.box) == label);
  return box_of(region.box);
}

std::optional<Box> Picture::cell_among_others(std::size_t index, cv::Point2d place, int label) {
  std::vector<cv::Point2d> others;
  for (std::size_t i = 0; i < points_.size(); ++i) {
    if (i != index) others.push_back(points_[i]);
  }
  if (!finder_) finder_.emplace(foreground_.contrast, foreground_.mask, diameter_);
  const Outline outline = finder_->find(place, others);
  const bool beside = place != points_[index];
  const auto is_inside = [&](const cv::Point2d& other) { return outline.holds(other); };
  if (beside && std::any_of(others.begin(), others.end(), is_inside)) return std::nullopt;
  const Region& region = regions_[std::size_t(label)];
  if (region.points <= 1 && owns_the_rest(region, label, outline)) {
    taken_(region.box).setTo(255, labels_(region.box) == label);
    return box_of(region.box);
  }
  cv::fillPoly(taken_, std::vector<Contour>{outline.corners(margin)}, 255);
  const Box box = outline.box();
  const double width = taken_.cols, height = taken_.rows;
  return Box{std::max(box.x_min, 0.0), std::max(box.y_min, 0.0), std::min(box.x_max, width),
             std::min(box.y_max, height)};
}

// Is all of the region one cell with this outline, with a tail or spikes? The rest might be another cell.
bool Picture::owns_the_rest(const Region& region, int label, const Outline& outline) const {
  if (std::max(region.box.width, region.box.height) > longest * diameter_) return false;
  const cv::Mat1b part = labels_(region.box) == label;
  cv::Mat1b rest = part.clone();
  cv::fillPoly(rest, std::vector<Contour>{outline.corners(margin)}, 0, cv::LINE_8, 0, -region.box.tl());
  cv::Mat1b framed;
  cv::copyMakeBorder(part, framed, 1, 1, 1, 1, cv::BORDER_CONSTANT, 0);
  cv::Mat1f depth;
  cv::distanceTransform(framed, depth, cv::DIST_L2, cv::DIST_MASK_3);
  double deepest = 0;
  cv::minMaxLoc(depth(cv::Rect(1, 1, part.cols, part.rows)), nullptr, &deepest, nullptr, nullptr, rest);
  return deepest <= thin * diameter_;
}

Box Picture::usual_box(cv::Point2d point) const {
  const double half = diameter_ / 2, width = taken_.cols, height = taken_.rows;
  return {std::max(point.x - half, 0.0), std::max(point.y - half, 0.0), std::min(point.x + half, width),
          std::min(point.y + half, height)};
}

PointedCells Picture::cells() {
  PointedCells found;
  found.diameter = measured_;
  for (std::size_t i = 0; i < points_.size(); ++i) {
    const std::optional<Box> box = cell_at(i);
    found.cells.push_back(box ? PointedCells::Cell{*box, BoxOrigin::segmented}
                              : PointedCells::Cell{usual_box(points_[i]), BoxOrigin::fallback});
  }
  found.unpointed = remaining_cells(foreground_.mask, taken_, diameter_);
  return found;
}

}  // namespace

PointedCells find_pointed_cells(const cv::Mat& rgb, const std::vector<cv::Point2d>& points) {
  CV_Assert(rgb.type() == CV_8UC3 && !rgb.empty());
  return Picture(rgb, points).cells();
}

}  // namespace smearscope::corpus
