#include "segmentation/unlabelled_cells.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

namespace smearscope::corpus {
namespace {

constexpr double least_area = 0.06;  // of a red cell: below platelets, above noise and the rims of boxes
constexpr double assumed_side = 20;  // a red cell in this many of the picture's shorter side

}  // namespace

std::vector<Box> remaining_cells(const cv::Mat1b& mask, const cv::Mat1b& taken, double diameter) {
  cv::Mat1b rest = mask & ~taken;
  cv::morphologyEx(rest, rest, cv::MORPH_OPEN, cv::getStructuringElement(cv::MORPH_ELLIPSE, {7, 7}));
  std::vector<std::vector<cv::Point>> contours;
  cv::findContours(rest, contours, cv::RETR_EXTERNAL, cv::CHAIN_APPROX_SIMPLE);
  std::vector<Box> boxes;
  for (const std::vector<cv::Point>& contour : contours) {
    if (cv::contourArea(contour) < least_area * CV_PI / 4 * diameter * diameter) continue;
    const cv::Rect box = cv::boundingRect(contour);
    boxes.push_back({double(box.x), double(box.y), double(box.br().x), double(box.br().y)});
  }
  return boxes;
}

std::vector<Box> unlabelled_cells(const Foreground& foreground, const std::optional<double>& diameter,
                                  const std::vector<Box>& labelled) {
  cv::Mat1b taken = cv::Mat1b::zeros(foreground.mask.size());
  for (const Box& box : labelled) {
    const cv::Point from(int(std::floor(box.x_min)), int(std::floor(box.y_min)));
    const cv::Point to(int(std::ceil(box.x_max)), int(std::ceil(box.y_max)));
    taken(cv::Rect(from, to) & cv::Rect({0, 0}, taken.size())).setTo(255);
  }
  const int shorter = std::min(taken.cols, taken.rows);
  return remaining_cells(foreground.mask, taken, diameter.value_or(shorter / assumed_side));
}

}  // namespace smearscope::corpus
