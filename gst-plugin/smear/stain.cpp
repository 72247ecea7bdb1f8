#include "smear/stain.h"

#include <algorithm>
#include <cmath>

#include "smear/random.h"

namespace smearscope::smear {
namespace {

// Colours as a camera shows them (8-bit), measured on public smears of the kind named.
struct Palette {
  Rgb background;
  Rgb red_cell, red_rim;
  Rgb nucleus;
  Rgb neutrophil_cytoplasm, lymphocyte_cytoplasm, monocyte_cytoplasm;
  Rgb neutrophil_granule, eosinophil_granule, basophil_granule;
  Rgb platelet, platelet_granule;
  float halo;
};

constexpr Palette wright{{199, 200, 194},
                         {180, 152, 148},
                         {157, 128, 146},
                         {108, 80, 210},
                         {190, 174, 202},
                         {150, 140, 208},
                         {168, 154, 202},
                         {160, 122, 190},
                         {178, 118, 160},
                         {84, 58, 165},
                         {172, 162, 212},
                         {112, 86, 212},
                         0.35f};
constexpr Palette may_grunwald_giemsa{{251, 225, 200},
                                      {204, 166, 167},
                                      {194, 154, 163},
                                      {66, 24, 132},
                                      {236, 204, 196},
                                      {150, 160, 206},
                                      {190, 170, 192},
                                      {196, 138, 156},
                                      {206, 124, 112},
                                      {56, 20, 98},
                                      {196, 160, 188},
                                      {84, 42, 134},
                                      0.1f};
constexpr Palette giemsa{{218, 180, 170},
                         {164, 114, 134},
                         {142, 92, 124},
                         {104, 15, 105},
                         {208, 160, 168},
                         {160, 124, 178},
                         {186, 138, 164},
                         {184, 124, 146},
                         {166, 96, 84},
                         {70, 10, 76},
                         {190, 136, 168},
                         {122, 40, 122},
                         0.2f};
constexpr Palette leishman{{200, 190, 170},
                           {138, 124, 148},
                           {112, 102, 136},
                           {102, 18, 124},
                           {192, 164, 178},
                           {146, 132, 180},
                           {170, 148, 172},
                           {162, 112, 150},
                           {172, 90, 96},
                           {62, 10, 84},
                           {170, 140, 172},
                           {104, 36, 124},
                           0.2f};

const Palette& palette_of(StainKind kind) {
  switch (kind) {
    case StainKind::may_grunwald_giemsa:
      return may_grunwald_giemsa;
    case StainKind::giemsa:
      return giemsa;
    case StainKind::leishman:
      return leishman;
    default:
      return wright;
  }
}

// Optical density of a colour over the background, times how strongly the stain took.
Rgb density(const Rgb& colour, const Rgb& background, double strength) {
  const float k = static_cast<float>(strength);
  return {-std::log(colour.r / background.r) * k, -std::log(colour.g / background.g) * k,
          -std::log(colour.b / background.b) * k};
}

Rgb layers(const Rgb& density) {
  return {layers_of_density(density.r), layers_of_density(density.g), layers_of_density(density.b)};
}

}  // namespace

float density_of_layers(float layers) {
  return layer_scale * std::log1p(std::max(layers, -0.5f * layer_scale) / layer_scale);
}
float layers_of_density(float density) {
  return layer_scale * std::expm1(density / layer_scale);
}

Stain make_stain(StainKind kind, std::uint64_t seed) {
  Random random(mix(seed, 0x57a1));
  const int drawn = random.below(4);
  if (kind == StainKind::automatic)
    kind = static_cast<StainKind>(static_cast<int>(StainKind::wright) + drawn);
  const Palette& palette = palette_of(kind);
  const double eosin = random.uniform(0.82, 1.2), azure = random.uniform(0.85, 1.12),
               rim = random.uniform(0.6, 1.2);
  const float lamp = static_cast<float>(random.uniform(0.96, 1.02));

  Stain stain;
  stain.background = {palette.background.r / 255 * lamp * static_cast<float>(random.uniform(0.98, 1.02)),
                      palette.background.g / 255 * lamp,
                      palette.background.b / 255 * lamp * static_cast<float>(random.uniform(0.97, 1.03))};
  const auto of = [&](const Rgb& colour, double strength) {
    return density(colour, palette.background, strength);
  };
  stain.red_cell = layers(of(palette.red_cell, eosin));
  // The rim comes on top of the cell's own layer.
  stain.red_rim = layers(density(palette.red_rim, palette.red_cell, rim));
  stain.nucleus = of(palette.nucleus, azure);
  stain.neutrophil_cytoplasm = of(palette.neutrophil_cytoplasm, azure);
  stain.lymphocyte_cytoplasm = of(palette.lymphocyte_cytoplasm, azure);
  stain.monocyte_cytoplasm = of(palette.monocyte_cytoplasm, azure);
  stain.neutrophil_granule = of(palette.neutrophil_granule, azure);
  stain.eosinophil_granule = of(palette.eosinophil_granule, eosin);
  stain.basophil_granule = of(palette.basophil_granule, azure);
  stain.platelet = of(palette.platelet, azure);
  stain.platelet_granule = of(palette.platelet_granule, azure);
  stain.halo = palette.halo * static_cast<float>(random.uniform(0.5, 1.3));
  return stain;
}

}  // namespace smearscope::smear
