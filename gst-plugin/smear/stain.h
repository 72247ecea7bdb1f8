// Colours of a stained smear.
//
// A smear is seen in transmitted light: what a cell takes away multiplies (Beer-Lambert), so cells are
// painted as optical densities D = -ln(colour / background) per channel, which add where cells overlap.
#pragma once

#include <cstdint>

namespace smearscope::smear {

struct Rgb {
  float r = 0, g = 0, b = 0;
};

// Stacked red cells darken less than in proportion, for light scatters and cameras lift the shadows. Red
// cells are therefore painted by layers that add, and layers turn into density by D = k * ln(1 + layers / k).
constexpr float layer_scale = 0.4f;
float density_of_layers(float layers);
float layers_of_density(float density);  // the inverse

inline Rgb operator*(const Rgb& a, float k) {
  return {a.r * k, a.g * k, a.b * k};
}
inline Rgb operator+(const Rgb& a, const Rgb& b) {
  return {a.r + b.r, a.g + b.g, a.b + b.b};
}
inline Rgb blend(const Rgb& a, const Rgb& b, float t) {
  return a * (1 - t) + b * t;
}

enum class StainKind { automatic, wright, may_grunwald_giemsa, giemsa, leishman };

// One slide's stain. `background` is the colour of the empty field, 0..1 of full scale; all others are
// optical densities (natural logarithm) of a single layer, those of red cells as layers (see above).
struct Stain {
  Rgb background;
  Rgb red_cell, red_rim;
  Rgb nucleus;
  Rgb neutrophil_cytoplasm, lymphocyte_cytoplasm, monocyte_cytoplasm;
  Rgb neutrophil_granule, eosinophil_granule, basophil_granule;
  Rgb platelet, platelet_granule;
  float halo;  // brightening just outside a red cell's rim (refraction), as a fraction of the rim's density
};

// The stain of the slide with this seed: a palette measured on real smears, varied a little as staining and
// cameras vary. `automatic` draws the palette from the seed too.
Stain make_stain(StainKind kind, std::uint64_t seed);

}  // namespace smearscope::smear
