#include "corpus/scale.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "corpus/image_header.h"

namespace smearscope::corpus {
namespace {

constexpr double largest_factor = 4, smallest_factor = 0.1, precision = 0.02;
constexpr int jpeg_quality = 95;

std::string encoded(const cv::Mat& rgb, Image& image) {
  const std::filesystem::path name(image.file);
  const bool jpeg = lower_extension(name) == ".jpg" || lower_extension(name) == ".jpeg";
  if (!jpeg) image.file = std::filesystem::path(name).replace_extension(".png").string();
  cv::Mat bgr;
  cv::cvtColor(rgb, bgr, cv::COLOR_RGB2BGR);
  std::vector<unsigned char> bytes;
  cv::imencode(jpeg ? ".jpg" : ".png", bgr, bytes, {cv::IMWRITE_JPEG_QUALITY, jpeg_quality});
  return {bytes.begin(), bytes.end()};
}

}  // namespace

double scale_factor(const Scaling& scaling, int width, int height, double pixel_size_um) {
  double factor = 1;
  if (scaling.longest_side) factor = std::min(1.0, double(*scaling.longest_side) / std::max(width, height));
  if (scaling.pixel_size_um) {
    factor = pixel_size_um / *scaling.pixel_size_um;
    if (std::abs(factor - 1) < precision || factor > largest_factor || factor < smallest_factor ||
        width * factor * height * factor > double(most_pixels))
      factor = 1;
  }
  return factor;
}

std::string scaled_image(Image& image, ImageFile& file, double factor) {
  const auto scaled_side = [&](int side) {
    return std::max(1, static_cast<int>(std::lround(side * factor)));
  };
  const cv::Size size(scaled_side(image.width), scaled_side(image.height));
  cv::Mat scaled;
  cv::resize(file.rgb(), scaled, size, 0, 0, factor < 1 ? cv::INTER_AREA : cv::INTER_CUBIC);

  const double across = double(size.width) / image.width, down = double(size.height) / image.height;
  const auto scale = [&](Box& box) {
    box = {box.x_min * across, box.y_min * down, box.x_max * across, box.y_max * down};
  };
  for (Annotation& a : image.annotations) scale(a.box);
  for (Box& region : image.ignore_regions) scale(region);
  char detail[100];
  std::snprintf(detail, sizeof detail, "from %dx%d to %dx%d", image.width, image.height, size.width,
                size.height);
  image.changes.push_back({rules::image_scaled, detail});
  image.width = size.width;
  image.height = size.height;
  image.pixel_size_um /= factor;
  return encoded(scaled, image);
}

}  // namespace smearscope::corpus
