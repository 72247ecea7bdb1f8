#include "smear/microscope.h"

#include <algorithm>
#include <cmath>

namespace smearscope::smear {
namespace {

// Defocus: a point spreads into a disc of radius dz * tan(asin(NA / n)), here NA 1.25 in oil (n = 1.52),
// whose standard deviation per axis is half its radius; about the depth of field nothing is seen of it.
constexpr double defocus_slope = 0.5 * 1.44;
constexpr double depth_of_field_um = 0.25;

double defocus_sigma_um(double focus_um) {
  return defocus_slope * std::max(0.0, std::abs(focus_um) - depth_of_field_um);
}

// Values between pixels, bilinear; `window` is one pixel wider and higher than `light`.
void resample(const std::vector<std::uint16_t>& window, float u, float v, FloatImage& light) {
  const int length = light.width * 3, stride = length + 3;
  const float a = (1 - u) * (1 - v) / transmission_one, b = u * (1 - v) / transmission_one;
  const float c = (1 - u) * v / transmission_one, d = u * v / transmission_one;
  for (int row = 0; row < light.height; ++row) {
    const std::uint16_t* upper = window.data() + static_cast<std::size_t>(row) * stride;
    const std::uint16_t* lower = upper + stride;
    float* out = light.values.data() + static_cast<std::size_t>(row) * length;
    for (int i = 0; i < length; ++i)
      out[i] = a * upper[i] + b * upper[i + 3] + c * lower[i] + d * lower[i + 3];
  }
}

void crop(const FloatImage& from, int margin, FloatImage& to) {
  for (int row = 0; row < to.height; ++row) {
    const float* values =
        from.values.data() + (static_cast<std::size_t>(row + margin) * from.width + margin) * 3;
    std::copy(values, values + to.width * 3, to.values.data() + static_cast<std::size_t>(row) * to.width * 3);
  }
}

}  // namespace

Microscope::Microscope(const MicroscopeSettings& settings)
    : settings_(settings),
      stain_(make_stain(settings.stain, settings.slide.seed)),
      tiles_(settings.slide, stain_, settings.pixel_um),
      sensor_(settings.sensor, stain_.background, settings.width, settings.height) {}

void Microscope::prepare(const View& view) {
  load(view);
}

// Fills light_ with the sharp field and as much around it as defocus mixes in; returns how much that is, in
// pixels.
int Microscope::load(const View& view) {
  const double sigma = defocus_sigma_um(view.focus_um) / settings_.pixel_um;
  const int margin = static_cast<int>(blur_reach(sigma));
  const double x = view.x_um / settings_.pixel_um - margin, y = view.y_um / settings_.pixel_um - margin;
  const double column = std::floor(x), row = std::floor(y);

  light_.width = settings_.width + 2 * margin;
  light_.height = settings_.height + 2 * margin;
  light_.values.resize(static_cast<std::size_t>(light_.width) * light_.height * 3);
  tiles_.copy(static_cast<std::int64_t>(column), static_cast<std::int64_t>(row), light_.width + 1,
              light_.height + 1, window_);
  resample(window_, static_cast<float>(x - column), static_cast<float>(y - row), light_);
  return margin;
}

void Microscope::render(const View& view, std::uint8_t* rgb, std::ptrdiff_t stride) {
  const int margin = load(view);
  if (margin > 0) {
    blur(light_, defocus_sigma_um(view.focus_um) / settings_.pixel_um);
    FloatImage field{settings_.width, settings_.height, {}};
    field.values.resize(static_cast<std::size_t>(field.width) * field.height * 3);
    crop(light_, margin, field);
    std::swap(light_, field);
  }
  sensor_.expose(light_, view.frame, rgb, stride);
}

std::vector<SeenCell> Microscope::cells(const View& view) {
  const double pixel = settings_.pixel_um;
  const double right = view.x_um + settings_.width * pixel, bottom = view.y_um + settings_.height * pixel;
  std::vector<SeenCell> seen;
  for (const SlideCell* cell : tiles_.slide().cells_in(view.x_um, view.y_um, right, bottom)) {
    const Visible part = visible_part(*cell, view.x_um, view.y_um, right, bottom);
    if (!(part.fraction > 0)) continue;
    const auto x = [&](double um) {
      return std::clamp((um - view.x_um) / pixel, 0.0, static_cast<double>(settings_.width));
    };
    const auto y = [&](double um) {
      return std::clamp((um - view.y_um) / pixel, 0.0, static_cast<double>(settings_.height));
    };
    seen.push_back({x(part.x_min), y(part.y_min), x(part.x_max), y(part.y_max), class_of(cell->kind),
                    cell->kind, cell->identity, cell->x, cell->y, part.fraction});
  }
  return seen;
}

}  // namespace smearscope::smear
