// A microscope over the synthetic smear and a detector that knows the truth, with flaws if asked for.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <set>
#include <vector>

#include "cell_meta.h"
#include "smear/microscope.h"
#include "smearscope/frame.h"

namespace smearscope::testing {

class SmearCamera {
 public:
  static constexpr int width = 640, height = 480;

  explicit SmearCamera(std::uint64_t seed = 1) : settings_(with_seed(seed)), microscope_(settings_) {}

  double pixel_um() const { return settings_.pixel_um; }

  // Takes the next frame with its corner at a place of the slide.
  void look(double x_um, double y_um, double focus_um = 0) {
    view_ = {x_um, y_um, focus_um, view_.frame + 1};
    pixels_.resize(std::size_t{3} * width * height);
    microscope_.render(view_, pixels_.data(), std::ptrdiff_t{3} * width);
  }

  // Until the next look.
  Frame frame() const {
    Frame frame;
    frame.format = PixelFormat::rgb;
    frame.width = width;
    frame.height = height;
    frame.planes[0] = {pixels_.data(), std::ptrdiff_t{3} * width};
    return frame;
  }

  // All that the frame shows, whole or cut, and in `whole` the identities of those away from the edge.
  std::vector<Cell> cells(std::set<std::uint64_t>& whole) {
    std::vector<Cell> cells;
    identities_.clear();
    for (const smear::SeenCell& seen : microscope_.cells(view_)) {
      if (seen.x_max - seen.x_min < 2 || seen.y_max - seen.y_min < 2) continue;  // none finds so little
      const double margin =
          std::max(3.0, 0.06 * std::max(seen.x_max - seen.x_min, seen.y_max - seen.y_min)) + 0.5;
      if (seen.x_min > margin && seen.y_min > margin && seen.x_max < width - margin &&
          seen.y_max < height - margin)
        whole.insert(seen.identity);
      cells.push_back({{static_cast<float>(seen.x_min), static_cast<float>(seen.y_min),
                        static_cast<float>(seen.x_max), static_cast<float>(seen.y_max)},
                       0.9,
                       static_cast<int>(seen.cell_class),
                       smear::name_of(seen.cell_class),
                       0});
      identities_.push_back(seen.identity);
    }
    return cells;
  }
  // Of the cells that `cells` returned last.
  const std::vector<std::uint64_t>& identities() const { return identities_; }

 private:
  static smear::MicroscopeSettings with_seed(std::uint64_t seed) {
    smear::MicroscopeSettings settings;
    settings.slide.seed = seed;
    settings.width = width;
    settings.height = height;
    return settings;
  }

  smear::MicroscopeSettings settings_;
  smear::Microscope microscope_;
  smear::View view_{0, 0, 0, 0};
  std::vector<std::uint8_t> pixels_;
  std::vector<std::uint64_t> identities_;
};

// As celldetect's boxes in mode latest: moved by so many pixels, cut to the frame, without those that left
// it.
inline std::vector<Cell> carried(const std::vector<Cell>& cells, double dx, double dy, unsigned age) {
  const auto inside = [](double value, int limit) {
    return static_cast<float>(std::clamp(value, 0.0, static_cast<double>(limit)));
  };
  std::vector<Cell> now;
  for (Cell cell : cells) {
    cell.box = {
        inside(cell.box.x_min + dx, SmearCamera::width), inside(cell.box.y_min + dy, SmearCamera::height),
        inside(cell.box.x_max + dx, SmearCamera::width), inside(cell.box.y_max + dy, SmearCamera::height)};
    if (cell.box.x_max - cell.box.x_min < 2 || cell.box.y_max - cell.box.y_min < 2) continue;
    cell.age = age;
    now.push_back(cell);
  }
  return now;
}

// Leaves out a share of the cells, and moves the edges of the others by so many pixels (standard deviation).
inline std::vector<Cell> flawed(std::vector<Cell> cells, double missed, double jitter, std::mt19937& random) {
  std::uniform_real_distribution<double> fraction;
  std::normal_distribution<float> error(0, static_cast<float>(jitter));
  cells.erase(
      std::remove_if(cells.begin(), cells.end(), [&](const Cell&) { return fraction(random) < missed; }),
      cells.end());
  for (Cell& cell : cells) {
    for (float* edge : {&cell.box.x_min, &cell.box.y_min, &cell.box.x_max, &cell.box.y_max})
      *edge += error(random);
  }
  return carried(cells, 0, 0, 0);
}

}  // namespace smearscope::testing
