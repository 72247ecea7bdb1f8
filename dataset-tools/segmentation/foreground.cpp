#include "segmentation/foreground.h"

#include <algorithm>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "segmentation/contrast.h"

namespace smearscope::corpus {
namespace {

using Outline = std::vector<cv::Point>;

constexpr double edge = 0.7;  // contrast where a cell ends; at 1, Otsu's threshold, pale rims are lost

// In areas of a typical cell: in a hypochromic macrocyte, which is all rim.
constexpr double largest_pallor = 1.3;

bool holds_any(const Outline& outline, const std::vector<cv::Point2d>& points) {
  const cv::Rect box = cv::boundingRect(outline);
  return std::any_of(points.begin(), points.end(), [&](const cv::Point2d& point) {
    const cv::Point pixel(int(point.x), int(point.y));
    return box.contains(pixel) && cv::pointPolygonTest(outline, pixel, false) > 0;
  });
}

// The share of the convex hull's outline that spans hollows deeper than a pixel, 0..1: near 0 for a disc,
// about 0.4 for a crescent, near 1 for the gap between discs.
double bridged_share(const Outline& outline) {
  Outline hull;
  cv::convexHull(outline, hull);
  if (hull.size() < 3) return 0;
  // Along the outline, from one corner of the hull to the next.
  double bridged = 0, all = 0;
  std::vector<std::size_t> corners;
  for (std::size_t i = 0; i < outline.size(); ++i) {
    if (std::find(hull.begin(), hull.end(), outline[i]) != hull.end()) corners.push_back(i);
  }
  for (std::size_t k = 0; k < corners.size(); ++k) {
    const cv::Point from = outline[corners[k]], to = outline[corners[(k + 1) % corners.size()]];
    const double length = cv::norm(to - from);
    if (length == 0) continue;
    double depth = 0;
    const std::size_t end = k + 1 < corners.size() ? corners[k + 1] : corners[0] + outline.size();
    for (std::size_t i = corners[k]; i < end; ++i) {
      const cv::Point offset = outline[i % outline.size()] - from;
      depth = std::max(depth, std::abs(double((to - from).cross(offset))) / length);
    }
    all += length;
    if (depth > 1) bridged += length;
  }
  return all > 0 ? bridged / all : 0;
}

}  // namespace

Foreground find_foreground(const cv::Mat& rgb) {
  Foreground result;
  result.contrast = cell_contrast(rgb);
  cv::GaussianBlur(result.contrast, result.contrast, {5, 5}, 1.0);
  result.mask = result.contrast > edge;
  return result;
}

void fill_pallor(cv::Mat1b& mask, double cell_area, const std::vector<cv::Point2d>& points) {
  const cv::Mat disc = cv::getStructuringElement(cv::MORPH_ELLIPSE, {5, 5});
  cv::Mat1b closed;
  cv::morphologyEx(mask, closed, cv::MORPH_CLOSE, disc);
  std::vector<Outline> outlines;
  std::vector<cv::Vec4i> tree;
  cv::findContours(closed, outlines, tree, cv::RETR_CCOMP, cv::CHAIN_APPROX_NONE);
  cv::Mat1b pallors = cv::Mat1b::zeros(mask.size());
  for (std::size_t i = 0; i < outlines.size(); ++i) {
    const bool hole = tree[i][3] >= 0;
    if (!hole) continue;
    const double area = cv::contourArea(outlines[i]);
    const bool speck = area < 0.03 * cell_area;
    const bool pallor = area < 0.7 * cell_area && bridged_share(outlines[i]) < 0.6;
    if (speck || pallor || (area < largest_pallor * cell_area && holds_any(outlines[i], points)))
      cv::drawContours(pallors, outlines, int(i), 255, cv::FILLED);
  }
  // Cells that closing has joined stay apart: it only counts around the pallors.
  closed |= pallors;
  cv::dilate(pallors, pallors, disc);
  mask |= closed & pallors;
}

}  // namespace smearscope::corpus
