#include "smear/tiles.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "smear/blur.h"
#include "smear/painter.h"

namespace smearscope::smear {
namespace {

constexpr double diffraction_um = 0.09;
constexpr double finest_um =
    0.15;  // coarser pixels are averaged from several, so that edges and granules don't alias

// The plasma between the cells is not quite even.
void paint_plasma(std::uint32_t texture, const Stain& stain, DensityCanvas& canvas) {
  const Rgb tint = stain.red_cell * 0.035f;
  float* out = canvas.densities.data();
  for (int row = 0; row < canvas.height; ++row) {
    const auto y = static_cast<float>((canvas.top + (row + 0.5) * canvas.pixel_um) / 5);
    for (int column = 0; column < canvas.width; ++column, out += 3) {
      const auto x = static_cast<float>((canvas.left + (column + 0.5) * canvas.pixel_um) / 5);
      const float n = value_noise(texture, x, y);
      out[0] = tint.r * n;
      out[1] = tint.g * n;
      out[2] = tint.b * n;
    }
  }
}

// Mean of `factor` x `factor` pixels.
FloatImage shrink(const FloatImage& image, int factor) {
  if (factor == 1) return image;
  FloatImage small{image.width / factor, image.height / factor, {}};
  small.values.assign(static_cast<std::size_t>(small.width) * small.height * 3, 0);
  const float share = 1.f / (factor * factor);
  for (int row = 0; row < small.height * factor; ++row) {
    const float* from = image.values.data() + static_cast<std::size_t>(row) * image.width * 3;
    float* to = small.values.data() + static_cast<std::size_t>(row / factor) * small.width * 3;
    for (int column = 0; column < small.width * factor; ++column) {
      for (int c = 0; c < 3; ++c) to[column / factor * 3 + c] += from[column * 3 + c] * share;
    }
  }
  return small;
}

}  // namespace

Tiles::Tiles(const SlideSettings& slide, const Stain& stain, double pixel_um)
    : slide_(slide),
      stain_(stain),
      background_texture_(static_cast<std::uint32_t>(mix(slide.seed, 0xb6))),
      pixel_um_(pixel_um) {}

std::vector<std::uint16_t> Tiles::paint_tile(Place place) {
  const int factor = static_cast<int>(std::ceil(pixel_um_ / finest_um));
  const double sigma = diffraction_um / pixel_um_;
  const int margin = static_cast<int>(std::ceil(blur_reach(sigma)));
  const int padded = side + 2 * margin;
  DensityCanvas canvas{(static_cast<double>(place.first) * side - margin) * pixel_um_,
                       (static_cast<double>(place.second) * side - margin) * pixel_um_,
                       pixel_um_ / factor,
                       padded * factor,
                       padded * factor,
                       {}};
  canvas.densities.resize(static_cast<std::size_t>(canvas.width) * canvas.height * 3);
  paint_plasma(background_texture_, stain_, canvas);
  const double extent = padded * pixel_um_;
  const auto cells = slide_.cells_in(canvas.left, canvas.top, canvas.left + extent, canvas.top + extent);
  const auto is_red = [](const SlideCell* cell) { return class_of(cell->kind) == CellClass::rbc; };
  for (const SlideCell* cell : cells) {
    if (is_red(cell)) paint(*cell, stain_, canvas);
  }
  for (float& value : canvas.densities) value = density_of_layers(value);
  for (const SlideCell* cell : cells) {
    if (!is_red(cell)) paint(*cell, stain_, canvas);
  }
  for (float& value : canvas.densities) value = std::exp(-value);

  FloatImage image = shrink({canvas.width, canvas.height, std::move(canvas.densities)}, factor);
  blur(image, sigma);
  std::vector<std::uint16_t> transmission(static_cast<std::size_t>(side) * side * 3);
  for (int row = 0; row < side; ++row) {
    const float* from = image.values.data() + (static_cast<std::size_t>(row + margin) * padded + margin) * 3;
    std::uint16_t* to = transmission.data() + static_cast<std::size_t>(row) * side * 3;
    for (int i = 0; i < side * 3; ++i)
      to[i] = static_cast<std::uint16_t>(std::clamp(from[i] * transmission_one + 0.5f, 0.f, 65535.f));
  }
  return transmission;
}

const std::uint16_t* Tiles::tile(Place place) {
  auto found = tiles_.find(place);
  if (found == tiles_.end()) {
    found = tiles_.emplace(place, Tile{paint_tile(place), used_.insert(used_.end(), place)}).first;
  } else {
    used_.splice(used_.end(), used_, found->second.used);
  }
  return found->second.transmission.data();
}

void Tiles::copy(std::int64_t column, std::int64_t row, int width, int height,
                 std::vector<std::uint16_t>& out) {
  const auto index = [](std::int64_t pixel) { return (pixel >= 0 ? pixel : pixel - side + 1) / side; };
  out.resize(static_cast<std::size_t>(width) * height * 3);
  const std::int64_t first_row = index(row), last_row = index(row + height - 1);
  const std::int64_t first_column = index(column), last_column = index(column + width - 1);
  for (std::int64_t tile_row = first_row; tile_row <= last_row; ++tile_row) {
    const int top = static_cast<int>(std::max<std::int64_t>(0, tile_row * side - row));
    const int bottom = static_cast<int>(std::min<std::int64_t>(height, (tile_row + 1) * side - row));
    for (std::int64_t tile_column = first_column; tile_column <= last_column; ++tile_column) {
      const std::uint16_t* from = tile({tile_column, tile_row});
      const int left = static_cast<int>(std::max<std::int64_t>(0, tile_column * side - column));
      const int right = static_cast<int>(std::min<std::int64_t>(width, (tile_column + 1) * side - column));
      for (int y = top; y < bottom; ++y) {
        const std::int64_t in_row = row + y - tile_row * side, in_column = column + left - tile_column * side;
        std::memcpy(out.data() + (static_cast<std::size_t>(y) * width + left) * 3,
                    from + (in_row * side + in_column) * 3,
                    static_cast<std::size_t>(right - left) * 3 * sizeof(std::uint16_t));
      }
    }
  }
  const auto shown = static_cast<std::size_t>((last_row - first_row + 1) * (last_column - first_column + 1));
  while (used_.size() > 2 * shown + 8) {
    tiles_.erase(used_.front());
    used_.pop_front();
  }
}

}  // namespace smearscope::smear
