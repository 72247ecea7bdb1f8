#include "loop/zoom.h"

#include <algorithm>
#include <cmath>

#include "corpus/pixel_size.h"

namespace smearscope::training {
namespace {

constexpr double least_visible = 0.6;
constexpr double least_zoom = 1.05, largest_zoom = 4;

corpus::Box inside(const corpus::Box& box, const cv::Rect& window) {
  return {std::clamp(box.x_min - window.x, 0.0, double(window.width)),
          std::clamp(box.y_min - window.y, 0.0, double(window.height)),
          std::clamp(box.x_max - window.x, 0.0, double(window.width)),
          std::clamp(box.y_max - window.y, 0.0, double(window.height))};
}

void crop(Sample& sample, const cv::Rect& window) {
  sample.image = sample.image(window).clone();
  std::vector<corpus::Annotation> kept;
  std::vector<corpus::Box> regions;
  for (corpus::Annotation& a : sample.annotations) {
    const corpus::Box visible = inside(a.box, window);
    if (!(visible.width() > 1 && visible.height() > 1)) continue;
    if (visible.area() < least_visible * a.box.area()) {
      regions.push_back(visible);
      continue;
    }
    a.box = visible;
    kept.push_back(std::move(a));
  }
  for (const corpus::Box& region : sample.ignore_regions) {
    const corpus::Box visible = inside(region, window);
    if (visible.width() > 1 && visible.height() > 1) regions.push_back(visible);
  }
  sample.annotations = std::move(kept);
  sample.ignore_regions = std::move(regions);
}

}  // namespace

void zoom_to(Sample& sample, double wanted, int min_side, int max_side, Random& random) {
  if (sample.pixel_size_um <= 0) return;
  const double width = sample.image.cols, height = sample.image.rows;
  const double resize = std::min(min_side / std::min(width, height), max_side / std::max(width, height));
  const double natural = corpus::red_cell_um / sample.pixel_size_um * resize;
  const double zoom = std::min(wanted / natural, largest_zoom);
  if (zoom < least_zoom) return;
  const int w = std::max(16, static_cast<int>(width / zoom)),
            h = std::max(16, static_cast<int>(height / zoom));
  if (w >= sample.image.cols || h >= sample.image.rows) return;
  const auto x = static_cast<int>(random.below(static_cast<std::size_t>(sample.image.cols - w) + 1));
  const auto y = static_cast<int>(random.below(static_cast<std::size_t>(sample.image.rows - h) + 1));
  crop(sample, {x, y, w, h});
}

}  // namespace smearscope::training
