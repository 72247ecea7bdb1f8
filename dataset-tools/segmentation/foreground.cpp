#include "segmentation/foreground.h"

#include <algorithm>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "segmentation/contrast.h"

namespace smearscope::corpus {
namespace {

using Outline = std::vector<cv::Point>;

constexpr double edge = 0.7;  // contrast where a cell ends; at 1, Otsu's threshold, pale rims are lost

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
  cv::GaussianBlur(cell_contrast(rgb), result.contrast, {5, 5}, 1.0);
  result.mask = result.contrast > edge;
  return result;
}

void fill_pallor(cv::Mat1b& mask, double cell_area) {
  cv::morphologyEx(mask, mask, cv::MORPH_CLOSE, cv::getStructuringElement(cv::MORPH_ELLIPSE, {5, 5}));
  std::vector<Outline> outlines;
  std::vector<cv::Vec4i> tree;
  cv::findContours(mask, outlines, tree, cv::RETR_CCOMP, cv::CHAIN_APPROX_NONE);
  for (std::size_t i = 0; i < outlines.size(); ++i) {
    const bool hole = tree[i][3] >= 0;
    if (!hole) continue;
    const double area = cv::contourArea(outlines[i]);
    const bool speck = area < 0.03 * cell_area;
    const bool pallor = area < 0.7 * cell_area && bridged_share(outlines[i]) < 0.6;
    if (speck || pallor) cv::drawContours(mask, outlines, int(i), 255, cv::FILLED);
  }
}

}  // namespace smearscope::corpus
