#include "draw/palette.h"

#include <array>
#include <cmath>

namespace smearscope::draw {
namespace {

// Order: the first ones stand out best from pink and violet stain.
constexpr std::array<Color, 7> hues{{{0xE6, 0x9F, 0x00},    // orange
                                     {0x56, 0xB4, 0xE9},    // sky blue
                                     {0x00, 0x9E, 0x73},    // bluish green
                                     {0xF0, 0xE4, 0x42},    // yellow
                                     {0xD5, 0x5E, 0x00},    // vermillion
                                     {0x00, 0x72, 0xB2},    // blue
                                     {0xCC, 0x79, 0xA7}}};  // reddish purple

std::uint32_t fnv1a(std::string_view text) {
  std::uint32_t hash = 2166136261U;
  for (const char c : text) hash = (hash ^ static_cast<std::uint8_t>(c)) * 16777619U;
  return hash;
}

Color mix(Color from, Color to, double amount) {
  const auto channel = [amount](int a, int b) {
    return static_cast<std::uint8_t>(std::lround(a + (b - a) * amount));
  };
  return {channel(from.red, to.red), channel(from.green, to.green), channel(from.blue, to.blue)};
}

double linear(std::uint8_t channel) {
  const double value = channel / 255.0;
  return value <= 0.04045 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4);
}

}  // namespace

Color class_color(int label, std::string_view name) {
  const std::uint32_t index = label >= 0 ? static_cast<std::uint32_t>(label) : fnv1a(name);
  const Color hue = hues[index % hues.size()];
  switch (index / hues.size() % 3) {
    case 1:
      return mix(hue, white, 0.5);
    case 2:
      return mix(hue, black, 0.4);
    default:
      return hue;
  }
}

Color contrasting(Color color) {
  const double luminance =
      0.2126 * linear(color.red) + 0.7152 * linear(color.green) + 0.0722 * linear(color.blue);
  return 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.05 ? white : black;
}

}  // namespace smearscope::draw
