#include "smear/painter.h"

#include <algorithm>
#include <cmath>

namespace smearscope::smear {
namespace {

constexpr float halo_width = 0.5f;  // um

// 0 at and below `from`, 1 at and above `to`, smooth between.
float ramp(float from, float to, float value) {
  const float t = std::clamp((value - from) / (to - from), 0.f, 1.f);
  return t * t * (3 - 2 * t);
}

// 1 at `centre`, 0 from `width` away.
float bump(float centre, float width, float value) {
  const float t = (value - centre) / width;
  const float s = std::max(0.f, 1 - t * t);
  return s * s;
}

class RedShader {
 public:
  RedShader(const SlideCell& cell, const Stain& stain)
      : cell_(cell),
        stain_(stain),
        look_(std::get<RedLook>(cell.look)),
        cos_(std::cos(look_.pallor_angle)),
        sin_(std::sin(look_.pallor_angle)),
        stretch_(std::sqrt(look_.pallor_stretch)) {}

  // `inside`: distance to the outline along the ray from the centre, um, negative outside.
  Rgb operator()(float x, float y, float radius, float inside) const {
    if (inside <= 0) {
      const float halo = bump(halo_width / 2, halo_width / 2, -inside);
      return stain_.red_cell * (-stain_.halo * 0.5f * halo);
    }
    const float body = ramp(0, 0.4f * cell_.softness, inside);
    const float rim = bump(0.26f * cell_.softness, 0.26f * cell_.softness, inside);
    const float mottle = 1 + 0.05f * value_noise(cell_.texture, x * 1.1f, y * 1.1f);
    const float layer = look_.strength * body * thickness(x, y, radius) * mottle;
    return stain_.red_cell * layer + stain_.red_rim * (rim * look_.strength);
  }

 private:
  // The biconcave disc: full at the ring, thin in the middle.
  float thickness(float x, float y, float radius) const {
    const float dx = x - look_.pallor_x, dy = y - look_.pallor_y;
    const float along = (dx * cos_ + dy * sin_) / stretch_, across = (dy * cos_ - dx * sin_) * stretch_;
    const float from_centre = std::sqrt(along * along + across * across) / (radius * look_.pallor_radius);
    const float pallor = 1 - ramp(0.3f, 1.1f, from_centre);
    const float spot = 1 - ramp(0.1f, 0.6f, from_centre);
    return 1 - look_.pallor_depth * pallor + look_.target * spot;
  }

  const SlideCell& cell_;
  const Stain& stain_;
  const RedLook& look_;
  float cos_, sin_, stretch_;
};

// Granules lie on a jittered lattice.
struct Granules {
  Rgb colour;
  float spacing;       // um, of the lattice
  float radius;        // um
  float density;       // share of lattice places that hold one
  float over_nucleus;  // how much of them shows over the nucleus
};

float granule_cover(std::uint32_t seed, const Granules& granules, float x, float y) {
  const float u = x / granules.spacing, v = y / granules.spacing;
  const int column = static_cast<int>(std::floor(u)), row = static_cast<int>(std::floor(v));
  float cover = 0;
  for (int r = row - 1; r <= row + 1; ++r) {
    for (int c = column - 1; c <= column + 1; ++c) {
      if (lattice_value(seed, c, r) > granules.density) continue;
      const float du = u - (c + lattice_value(seed + 1, c, r)), dv = v - (r + lattice_value(seed + 2, c, r));
      const float size = granules.radius * (0.7f + 0.6f * lattice_value(seed + 3, c, r)) / granules.spacing;
      cover = std::max(
          cover, bump(0, size, std::sqrt(du * du + dv * dv)) * (0.6f + 0.4f * lattice_value(seed + 4, c, r)));
    }
  }
  return cover;
}

class WhiteShader {
 public:
  WhiteShader(const SlideCell& cell, const Stain& stain)
      : cell_(cell), stain_(stain), look_(std::get<WhiteLook>(cell.look)) {
    cytoplasm_ = stain.neutrophil_cytoplasm;
    switch (cell.kind) {
      case CellKind::neutrophil:
        granules_ = {stain.neutrophil_granule, 0.5f, 0.3f, 0.5f, 0.1f};
        break;
      case CellKind::eosinophil:
        granules_ = {stain.eosinophil_granule, 0.55f, 0.5f, 0.9f, 0.08f};
        break;
      case CellKind::basophil:
        granules_ = {stain.basophil_granule, 0.85f, 0.6f, 0.75f, 0.8f};
        break;
      case CellKind::lymphocyte:
        cytoplasm_ = stain.lymphocyte_cytoplasm;
        break;
      default:
        cytoplasm_ = stain.monocyte_cytoplasm;
        granules_ = {stain.neutrophil_granule, 0.45f, 0.2f, 0.3f, 0.05f};
    }
  }

  Rgb operator()(float x, float y, float, float inside) const {
    if (inside <= 0) return {};
    // A ragged edge, but never beyond the outline.
    const float ragged = inside - 0.2f * (1 + value_noise(cell_.texture, x * 0.9f, y * 0.9f));
    const float body = ramp(0, 0.55f * cell_.softness, ragged);
    if (body <= 0) return {};
    const float cloud = value_noise(cell_.texture + 10, x * 0.8f, y * 0.8f);
    const float grain = value_noise(cell_.texture + 11, x * 2.4f, y * 2.4f);
    Rgb colour = cytoplasm_ * (look_.strength * (1 + 0.4f * cloud + 0.25f * grain));
    const float nucleus = ramp(-0.12f * cell_.softness, 0.18f * cell_.softness, depth_in_nucleus(x, y));
    if (nucleus > 0) colour = blend(colour, nucleus_colour(x, y), nucleus);
    if (granules_.density > 0) {
      const float visible = 1 - nucleus * (1 - granules_.over_nucleus);
      // Each granule took the stain a little differently.
      const float tone = look_.strength * (1 + 0.35f * value_noise(cell_.texture + 30, x * 1.7f, y * 1.7f));
      colour = blend(colour, granules_.colour * tone,
                     0.85f * granule_cover(cell_.texture + 20, granules_, x, y) * visible);
    }
    return colour * body;
  }

 private:
  // Distance below the nucleus' surface, um, negative outside: a union of segments, smooth where they meet
  // (Quilez' polynomial smooth minimum).
  float depth_in_nucleus(float x, float y) const {
    constexpr float smooth = 0.5f;
    float distance = 1e9f;
    for (const Segment& s : look_.nucleus) {
      const float ax = x - s.x0, ay = y - s.y0, bx = s.x1 - s.x0, by = s.y1 - s.y0;
      const float t = std::clamp((ax * bx + ay * by) / (bx * bx + by * by + 1e-9f), 0.f, 1.f);
      const float dx = ax - bx * t, dy = ay - by * t;
      const float next = std::sqrt(dx * dx + dy * dy) - (s.radius0 + (s.radius1 - s.radius0) * t);
      const float h = std::max(smooth - std::abs(distance - next), 0.f) / smooth;
      distance = std::min(distance, next) - h * h * smooth / 4;
    }
    return -distance + 0.22f * value_noise(cell_.texture + 1, x * 1.1f, y * 1.1f);
  }

  Rgb nucleus_colour(float x, float y) const {
    const float u = x / look_.chromatin_scale, v = y / look_.chromatin_scale;
    const float clumps =
        value_noise(cell_.texture + 2, u, v) + 0.5f * value_noise(cell_.texture + 3, 2 * u, 2 * v);
    return stain_.nucleus * (look_.strength * (1 + look_.chromatin_contrast * clumps));
  }

  const SlideCell& cell_;
  const Stain& stain_;
  const WhiteLook& look_;
  Rgb cytoplasm_;
  Granules granules_{};
};

class PlateletShader {
 public:
  PlateletShader(const SlideCell& cell, const Stain& stain)
      : cell_(cell), stain_(stain), look_(std::get<PlateletLook>(cell.look)) {}

  Rgb operator()(float x, float y, float radius, float inside) const {
    if (inside <= 0) return {};
    const float body = ramp(0, 0.35f * cell_.softness, inside);
    const float from_centre = 1 - inside / radius;
    const float grain =
        value_noise(cell_.texture, x * 3, y * 3) + 0.6f * value_noise(cell_.texture + 1, x * 6, y * 6);
    const float centre = ramp(-0.35f, 0.45f, look_.granulomere - from_centre + 0.35f * grain);
    return blend(stain_.platelet, stain_.platelet_granule, centre) *
           (look_.strength * body * (1 + 0.15f * grain));
  }

 private:
  const SlideCell& cell_;
  const Stain& stain_;
  const PlateletLook& look_;
};

template <typename Shader>
void shade(const SlideCell& cell, const Shader& shader, DensityCanvas& canvas) {
  const double pixel = canvas.pixel_um, reach = cell.outline.max_radius() + halo_width;
  const auto index = [&](double um, double origin) {
    return static_cast<int>(std::floor((um - origin) / pixel));
  };
  const int first_column = std::max(0, index(cell.x - reach, canvas.left));
  const int last_column = std::min(canvas.width - 1, index(cell.x + reach, canvas.left));
  const int first_row = std::max(0, index(cell.y - reach, canvas.top));
  const int last_row = std::min(canvas.height - 1, index(cell.y + reach, canvas.top));
  for (int row = first_row; row <= last_row; ++row) {
    const auto y = static_cast<float>(canvas.top + (row + 0.5) * pixel - cell.y);
    float* out = canvas.densities.data() + (static_cast<std::size_t>(row) * canvas.width + first_column) * 3;
    for (int column = first_column; column <= last_column; ++column, out += 3) {
      const auto x = static_cast<float>(canvas.left + (column + 0.5) * pixel - cell.x);
      const float squared = x * x + y * y;
      if (squared > reach * reach) continue;
      const float radius = cell.outline.radius(x, y);
      const float inside = radius - std::sqrt(squared);
      if (inside < -halo_width) continue;
      const Rgb density = shader(x, y, radius, inside);
      out[0] += density.r;
      out[1] += density.g;
      out[2] += density.b;
    }
  }
}

}  // namespace

void paint(const SlideCell& cell, const Stain& stain, DensityCanvas& canvas) {
  switch (class_of(cell.kind)) {
    case CellClass::rbc:
      shade(cell, RedShader(cell, stain), canvas);
      break;
    case CellClass::wbc:
      shade(cell, WhiteShader(cell, stain), canvas);
      break;
    case CellClass::platelet:
      shade(cell, PlateletShader(cell, stain), canvas);
      break;
  }
}

}  // namespace smearscope::smear
