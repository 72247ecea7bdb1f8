#include "segmentation/diameter.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <vector>

namespace smearscope::corpus {
namespace {

using Outline = std::vector<cv::Point>;

struct Blob {
  double diameter = 0;  // of the disc of the same area, pixels
  double contrast = 0;  // mean
};

bool whole(const cv::Rect& box, const cv::Size& image) {
  return box.x > 1 && box.y > 1 && box.br().x < image.width - 1 && box.br().y < image.height - 1;
}

bool roundish(const Outline& outline, const cv::Rect& box) {
  if (std::max(box.width, box.height) > 1.6 * std::min(box.width, box.height)) return false;
  Outline hull;
  cv::convexHull(outline, hull);
  return cv::contourArea(outline) > 0.92 * cv::contourArea(hull);
}

std::vector<Blob> round_blobs(const Foreground& foreground) {
  std::vector<Outline> outlines;
  cv::findContours(foreground.mask, outlines, cv::RETR_EXTERNAL, cv::CHAIN_APPROX_SIMPLE);
  std::vector<Blob> blobs;
  for (const Outline& outline : outlines) {
    const cv::Rect box = cv::boundingRect(outline);
    if (!whole(box, foreground.mask.size()) || !roundish(outline, box)) continue;
    const double diameter = 2 * std::sqrt(cv::contourArea(outline) / CV_PI);
    blobs.push_back({diameter, cv::mean(foreground.contrast(box), foreground.mask(box))[0]});
  }
  return blobs;
}

// Half of the area of all blobs is in blobs with a lower value.
double median_by_area(std::vector<Blob> blobs, double Blob::*value) {
  std::sort(blobs.begin(), blobs.end(),
            [value](const Blob& a, const Blob& b) { return a.*value < b.*value; });
  double all = 0, lower = 0;
  for (const Blob& b : blobs) all += b.diameter * b.diameter;
  for (const Blob& b : blobs) {
    lower += b.diameter * b.diameter;
    if (lower >= all / 2) return b.*value;
  }
  return 0;
}

// Within a few pixels.
double largest_thickness(const cv::Mat1b& mask) {
  constexpr int part = 4;
  cv::Mat1b small;
  cv::resize(mask, small, {(mask.cols + part - 1) / part, (mask.rows + part - 1) / part}, 0, 0,
             cv::INTER_NEAREST);
  cv::Mat1f depth;
  cv::distanceTransform(small, depth, cv::DIST_L2, cv::DIST_MASK_5);
  double largest = 0;
  cv::minMaxLoc(depth, nullptr, &largest);
  return 2 * part * largest;
}

}  // namespace

std::optional<double> red_cell_diameter(const Foreground& foreground) {
  std::vector<Blob> blobs = round_blobs(foreground);
  std::vector<double> contrasts;
  const double contrast = median_by_area(blobs, &Blob::contrast);
  blobs.erase(
      std::remove_if(blobs.begin(), blobs.end(), [&](const Blob& b) { return b.contrast > 1.5 * contrast; }),
      blobs.end());
  const double diameter = median_by_area(blobs, &Blob::diameter);
  const auto alike = std::count_if(blobs.begin(), blobs.end(), [&](const Blob& b) {
    return b.diameter > 0.75 * diameter && b.diameter < 1.33 * diameter;
  });
  if (alike < 2 || largest_thickness(foreground.mask) > 3 * diameter) return std::nullopt;
  return diameter;
}

std::optional<double> red_cell_diameter(const cv::Mat& rgb) {
  return red_cell_diameter(find_foreground(rgb));
}

}  // namespace smearscope::corpus
