#include "loop/augment.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <utility>

namespace smearscope::training {
namespace {

using corpus::Box;

template <typename Move>
void move_boxes(Sample& sample, const Move& move) {
  for (corpus::Annotation& a : sample.annotations) a.box = move(a.box);
  for (corpus::Box& region : sample.ignore_regions) region = move(region);
}

void flip_horizontally(Sample& sample) {
  cv::flip(sample.image, sample.image, 1);
  const double width = sample.image.cols;
  move_boxes(sample, [width](const Box& b) {
    return Box{width - b.x_max, b.y_min, width - b.x_min, b.y_max};
  });
}

void flip_vertically(Sample& sample) {
  cv::flip(sample.image, sample.image, 0);
  const double height = sample.image.rows;
  move_boxes(sample, [height](const Box& b) {
    return Box{b.x_min, height - b.y_max, b.x_max, height - b.y_min};
  });
}

void transpose(Sample& sample) {
  cv::transpose(sample.image, sample.image);
  move_boxes(sample, [](const Box& b) { return Box{b.y_min, b.x_min, b.y_max, b.x_max}; });
}

// Brightness, contrast and saturation are one affine map of (R, G, B); so is a turn of the hue (a rotation
// around the grey axis). One 3x4 matrix does them all in one pass.
cv::Matx34d color_matrix(const Augmentation& options, double mean_grey, Random& random) {
  const auto factor = [&random](double half_width) { return 1 + random.uniform(-half_width, half_width); };
  const double brightness = factor(options.brightness), contrast = factor(options.contrast);
  const double saturation = factor(options.saturation);
  const double angle = random.uniform(-options.hue, options.hue) * 2 * CV_PI;

  // Rodrigues' formula around (1, 1, 1) / sqrt(3).
  const double c = std::cos(angle), third = (1 - c) / 3, s = std::sin(angle) / std::sqrt(3.0);
  const cv::Matx33d hue(c + third, third - s, third + s, third + s, c + third, third - s, third - s,
                        third + s, c + third);
  const double r = 0.299, g = 0.587, b = 0.114;  // luma, ITU-R BT.601
  const cv::Matx33d grey(r, g, b, r, g, b, r, g, b);
  const cv::Matx33d colors = (saturation * cv::Matx33d::eye() + (1 - saturation) * grey) * hue;
  const cv::Matx33d all = brightness * contrast * colors;
  const double offset = brightness * (1 - contrast) * mean_grey;
  return {all(0, 0), all(0, 1), all(0, 2), offset,    all(1, 0), all(1, 1),
          all(1, 2), offset,    all(2, 0), all(2, 1), all(2, 2), offset};
}

}  // namespace

void augment(Sample& sample, const Augmentation& options, Random& random) {
  sample.image = sample.image.clone();
  if (options.transpose && random.coin()) transpose(sample);
  if (options.horizontal_flip && random.coin()) flip_horizontally(sample);
  if (options.vertical_flip && random.coin()) flip_vertically(sample);
  if (options.brightness > 0 || options.contrast > 0 || options.saturation > 0 || options.hue > 0) {
    const cv::Scalar mean = cv::mean(sample.image);
    const double grey = 0.299 * mean[0] + 0.587 * mean[1] + 0.114 * mean[2];
    cv::transform(sample.image, sample.image, color_matrix(options, grey, random));
  }
}

}  // namespace smearscope::training
