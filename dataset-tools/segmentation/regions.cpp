#include "segmentation/regions.h"

#include <algorithm>
#include <numeric>
#include <opencv2/imgproc.hpp>
#include <vector>

namespace smearscope::corpus {
namespace {

cv::Mat with_disc(const cv::Mat& mask, cv::MorphTypes operation, int radius) {
  const cv::Size size(2 * radius + 1, 2 * radius + 1);
  cv::Mat out;
  cv::morphologyEx(mask, out, operation, cv::getStructuringElement(cv::MORPH_ELLIPSE, size));
  return out;
}

// Parts of the mask that grow from the inside out, as a union-find forest over part numbers.
class Parts {
 public:
  int start(float depth) {
    parent_.push_back(int(parent_.size()));
    depth_.push_back(depth);
    return parent_.back();
  }
  int find(int part) {
    while (parent_[part] != part) part = parent_[part] = parent_[parent_[part]];
    return part;
  }
  float depth(int root) const { return depth_[root]; }
  // The shallower becomes part of the deeper, which is returned.
  int join(int a, int b) {
    if (depth_[a] < depth_[b]) std::swap(a, b);
    parent_[b] = a;
    return a;
  }
  int count() const { return int(parent_.size()); }

 private:
  std::vector<int> parent_;
  std::vector<float> depth_;  // of a root: the largest distance to the outside in it
};

// Pixels of the mask, deepest first; equal depths in scan order.
std::vector<int> by_depth(const cv::Mat& distance) {
  const float* depth = distance.ptr<float>();
  std::vector<int> pixels;
  for (int pixel = 0; pixel < int(distance.total()); ++pixel) {
    if (depth[pixel] > 0) pixels.push_back(pixel);
  }
  std::stable_sort(pixels.begin(), pixels.end(), [&](int a, int b) { return depth[a] > depth[b]; });
  return pixels;
}

}  // namespace

void fill_holes(cv::Mat& mask) {
  cv::Mat framed;
  cv::copyMakeBorder(mask, framed, 1, 1, 1, 1, cv::BORDER_CONSTANT, 0);
  cv::floodFill(framed, cv::Point(0, 0), 128);
  mask = framed(cv::Rect(1, 1, mask.cols, mask.rows)) != 128;
}

cv::Mat open_with_disc(const cv::Mat& mask, int radius) {
  return with_disc(mask, cv::MORPH_OPEN, radius);
}

cv::Mat close_with_disc(const cv::Mat& mask, int radius) {
  return with_disc(mask, cv::MORPH_CLOSE, radius);
}

cv::Mat split_at_necks(const cv::Mat& mask, double neck, const cv::Mat& core, double core_neck) {
  // A frame of one empty pixel: every pixel of the mask has eight neighbours.
  cv::Mat framed, framed_core, distance;
  cv::copyMakeBorder(mask, framed, 1, 1, 1, 1, cv::BORDER_CONSTANT, 0);
  cv::copyMakeBorder(core, framed_core, 1, 1, 1, 1, cv::BORDER_CONSTANT, 0);
  cv::distanceTransform(framed, distance, cv::DIST_L2, 5);
  const float* depth = distance.ptr<float>();
  const int width = framed.cols;
  const int neighbours[] = {-width - 1, -width, -width + 1, -1, 1, width - 1, width, width + 1};

  cv::Mat labels(framed.size(), CV_32S, cv::Scalar(-1));
  int* part_of = labels.ptr<int>();
  Parts parts;
  for (const int pixel : by_depth(distance)) {
    const double narrow = framed_core.data[pixel] ? core_neck : neck;
    // Of parts that meet and stay apart, the one uphill gets the pixel.
    int part = -1;
    float height = 0;
    for (const int step : neighbours) {
      if (part_of[pixel + step] < 0) continue;
      const int other = parts.find(part_of[pixel + step]);
      if (part >= 0 && other != part &&
          depth[pixel] > narrow * std::min(parts.depth(part), parts.depth(other))) {
        part = parts.join(part, other);
      } else if (part < 0 || depth[pixel + step] > height) {
        part = other;
      }
      height = std::max(height, depth[pixel + step]);
    }
    part_of[pixel] = part < 0 ? parts.start(depth[pixel]) : part;
  }

  std::vector<int> number(parts.count(), 0);
  int last = 0;
  for (int& label : cv::Mat_<int>(labels)) {
    if (label < 0) {
      label = 0;
      continue;
    }
    int& of_root = number[parts.find(label)];
    if (of_root == 0) of_root = ++last;
    label = of_root;
  }
  return labels(cv::Rect(1, 1, mask.cols, mask.rows)).clone();
}

}  // namespace smearscope::corpus
