#include "loop/copy_paste.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "segmentation/stain.h"

namespace smearscope::training {
namespace {

constexpr double margin = 0.12;       // of the box's sides, around it, to blend in
constexpr double most_covered = 0.1;  // of a cell that is there
constexpr int tries = 12;             // of places
constexpr double least_scale = 0.5, largest_scale = 2;

cv::Rect pixels_around(const corpus::Box& box, const cv::Size& image) {
  const double dx = margin * box.width(), dy = margin * box.height();
  const int x0 = std::max(0, static_cast<int>(std::floor(box.x_min - dx)));
  const int y0 = std::max(0, static_cast<int>(std::floor(box.y_min - dy)));
  const int x1 = std::min(image.width, static_cast<int>(std::ceil(box.x_max + dx)));
  const int y1 = std::min(image.height, static_cast<int>(std::ceil(box.y_max + dy)));
  return {x0, y0, x1 - x0, y1 - y0};
}

void scale(Cutout& cutout, double factor) {
  const cv::Size size(std::max(4, static_cast<int>(std::lround(cutout.image.cols * factor))),
                      std::max(4, static_cast<int>(std::lround(cutout.image.rows * factor))));
  const double across = double(size.width) / cutout.image.cols,
               down = double(size.height) / cutout.image.rows;
  cv::resize(cutout.image, cutout.image, size, 0, 0, factor < 1 ? cv::INTER_AREA : cv::INTER_LINEAR);
  corpus::Box& box = cutout.annotation.box;
  box = {box.x_min * across, box.y_min * down, box.x_max * across, box.y_max * down};
}

void turn(Cutout& cutout, Random& random) {
  corpus::Box& box = cutout.annotation.box;
  if (random.coin()) {
    cv::transpose(cutout.image, cutout.image);
    box = {box.y_min, box.x_min, box.y_max, box.x_max};
  }
  if (random.coin()) {
    cv::flip(cutout.image, cutout.image, 1);
    box = {cutout.image.cols - box.x_max, box.y_min, cutout.image.cols - box.x_min, box.y_max};
  }
  if (random.coin()) {
    cv::flip(cutout.image, cutout.image, 0);
    box = {box.x_min, cutout.image.rows - box.y_max, box.x_max, cutout.image.rows - box.y_min};
  }
}

double covered(const corpus::Box& cell, const corpus::Box& by) {
  const double width = std::min(cell.x_max, by.x_max) - std::max(cell.x_min, by.x_min);
  const double height = std::min(cell.y_max, by.y_max) - std::max(cell.y_min, by.y_min);
  return width > 0 && height > 0 ? width * height / cell.area() : 0;
}

bool is_free(const Sample& sample, const corpus::Box& place) {
  const auto free_of = [&](const corpus::Box& box) {
    return covered(box, place) <= most_covered && covered(place, box) <= most_covered;
  };
  return std::all_of(sample.annotations.begin(), sample.annotations.end(),
                     [&](const corpus::Annotation& a) { return free_of(a.box); }) &&
         std::all_of(sample.ignore_regions.begin(), sample.ignore_regions.end(), free_of);
}

// 1 inside the ellipse in the box, falling to 0 towards the cutout's border.
float opacity(const Cutout& cutout, int x, int y) {
  const corpus::Box& box = cutout.annotation.box;
  const double across = (x + 0.5 - (box.x_min + box.x_max) / 2) / (box.width() / 2);
  const double down = (y + 0.5 - (box.y_min + box.y_max) / 2) / (box.height() / 2);
  const double radius = std::sqrt(across * across + down * down);
  return static_cast<float>(std::clamp((1 + 2 * margin - radius) / (2 * margin), 0.0, 1.0));
}

cv::Scalar glass_colour(const cv::Mat& rgb) {
  const std::array<double, 3> colour = corpus::background_colour(rgb);
  return {colour[0], colour[1], colour[2]};
}

// Light that a cell lets through is a share of what the glass lets through.
void blend(cv::Mat& image, const Cutout& cutout, const cv::Scalar& background, cv::Point at) {
  for (int y = 0; y < cutout.image.rows; ++y) {
    const cv::Vec3b* from = cutout.image.ptr<cv::Vec3b>(y);
    cv::Vec3b* to = image.ptr<cv::Vec3b>(at.y + y) + at.x;
    for (int x = 0; x < cutout.image.cols; ++x) {
      const float alpha = opacity(cutout, x, y);
      for (int c = 0; c < 3; ++c) {
        const double seen = from[x][c] * background[c] / std::max(1.0, cutout.background[c]);
        to[x][c] = cv::saturate_cast<unsigned char>(alpha * seen + (1 - alpha) * to[x][c]);
      }
    }
  }
}

}  // namespace

Cutout cut_out(const Sample& sample, const corpus::Annotation& annotation) {
  const cv::Rect pixels = pixels_around(annotation.box, sample.image.size());
  Cutout cutout{sample.image(pixels).clone(), annotation, glass_colour(sample.image), sample.pixel_size_um};
  corpus::Box& box = cutout.annotation.box;
  box = {box.x_min - pixels.x, box.y_min - pixels.y, box.x_max - pixels.x, box.y_max - pixels.y};
  return cutout;
}

bool paste(Sample& sample, const Cutout& original, Random& random) {
  Cutout cutout = original;
  if (sample.pixel_size_um > 0 && cutout.pixel_size_um > 0) {
    const double factor = cutout.pixel_size_um / sample.pixel_size_um;
    if (factor < least_scale || factor > largest_scale) return false;
    scale(cutout, factor);
  }
  turn(cutout, random);
  const int room_x = sample.image.cols - cutout.image.cols, room_y = sample.image.rows - cutout.image.rows;
  if (room_x < 0 || room_y < 0) return false;
  for (int i = 0; i < tries; ++i) {
    const cv::Point at(static_cast<int>(random.below(static_cast<std::size_t>(room_x) + 1)),
                       static_cast<int>(random.below(static_cast<std::size_t>(room_y) + 1)));
    corpus::Annotation pasted = cutout.annotation;
    pasted.box = {pasted.box.x_min + at.x, pasted.box.y_min + at.y, pasted.box.x_max + at.x,
                  pasted.box.y_max + at.y};
    if (!is_free(sample, pasted.box)) continue;
    cv::Mat image = sample.image.clone();
    blend(image, cutout, glass_colour(sample.image), at);
    sample.image = image;
    sample.annotations.push_back(std::move(pasted));
    return true;
  }
  return false;
}

}  // namespace smearscope::training
