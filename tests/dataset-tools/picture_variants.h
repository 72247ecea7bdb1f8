// What data sets do to pictures that they take over, and painted pictures to do it to.
#pragma once

#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "painted_smear.h"

namespace smearscope::testing {

// Cells of two stains and many sizes at places that follow from `seed`.
inline cv::Mat paint_picture(unsigned seed, const cv::Size& size) {
  std::vector<cv::Mat1b> layers;
  cv::RNG random(seed + 1);
  for (int layer = 0; layer < 3; ++layer) {
    layers.emplace_back(size, uchar(0));
    const int cells = size.area() / (layer == 0 ? 4000 : 12000);
    for (int i = 0; i < cells; ++i) {
      const cv::Size axes(random.uniform(8, 24), random.uniform(8, 24));
      cv::ellipse(layers.back(), {random.uniform(0, size.width), random.uniform(0, size.height)}, axes,
                  random.uniform(0, 180), 0, 360, 255, cv::FILLED);
    }
  }
  cv::Mat bgr;
  cv::cvtColor(paint_layers(layers, size), bgr, cv::COLOR_RGB2BGR);
  return bgr;
}

// A picture, and where the original's pixels are in it.
struct Variant {
  cv::Mat pixels;
  cv::Matx23d to_variant{1, 0, 0, 0, 1, 0};

  void crop(double left, double top, double right, double bottom) {  // shares of the sides
    const cv::Rect kept(cv::Point(int(left * pixels.cols), int(top * pixels.rows)),
                        cv::Point(int((1 - right) * pixels.cols), int((1 - bottom) * pixels.rows)));
    pixels = pixels(kept).clone();
    move(1, 0, -kept.x, 0, 1, -kept.y);
  }
  void resize(double across, double down) {
    const cv::Size before = pixels.size();
    const bool grows = across > 1 || down > 1;
    cv::resize(pixels, pixels, {}, across, down, grows ? cv::INTER_LINEAR : cv::INTER_AREA);
    move(double(pixels.cols) / before.width, 0, 0, 0, double(pixels.rows) / before.height, 0);
  }
  void mirror() {
    cv::flip(pixels, pixels, 1);
    move(-1, 0, pixels.cols, 0, 1, 0);
  }
  void transpose() {
    cv::transpose(pixels, pixels);
    move(0, 1, 0, 1, 0, 0);
  }
  void turn() {  // by a quarter, clockwise
    transpose();
    mirror();
  }
  void recolour(const cv::Scalar& contrast, double brightness) {
    cv::multiply(pixels, contrast, pixels);
    pixels.convertTo(pixels, -1, 1, brightness);
  }
  void compress(int quality) {
    std::vector<uchar> bytes;
    cv::imencode(".jpg", pixels, bytes, {cv::IMWRITE_JPEG_QUALITY, quality});
    pixels = cv::imdecode(bytes, cv::IMREAD_COLOR);
  }

 private:
  void move(double a, double b, double c, double d, double e, double f) {
    const cv::Matx33d step(a, b, c, d, e, f, 0, 0, 1);
    const cv::Matx23d& m = to_variant;
    const cv::Matx33d whole =
        step * cv::Matx33d(m(0, 0), m(0, 1), m(0, 2), m(1, 0), m(1, 1), m(1, 2), 0, 0, 1);
    to_variant = whole.get_minor<2, 3>(0, 0);
  }
};

// Everything at once, at random: crops of up to 15% a side, any of the eight orientations, sizes of 0.5
// to 1.5, other colours, JPEG of quality 50 to 95.
inline Variant random_variant(const cv::Mat& picture, cv::RNG& random) {
  Variant variant{picture.clone()};
  const auto cut = [&] { return random.uniform(0.0, 0.15); };
  const double left = cut(), top = cut(), right = cut(), bottom = cut();
  variant.crop(left, top, right, bottom);
  if (random.uniform(0, 2)) variant.mirror();
  for (int i = random.uniform(0, 4); i > 0; --i) variant.turn();
  const double size = random.uniform(0.5, 1.5);
  variant.resize(size, size);
  const double light = random.uniform(0.7, 1.3), blue = random.uniform(0.8, 1.2),
               red = random.uniform(0.8, 1.2);
  variant.recolour({light * blue, light, light * red}, random.uniform(-30.0, 30.0));
  variant.compress(random.uniform(50, 96));
  return variant;
}

}  // namespace smearscope::testing
