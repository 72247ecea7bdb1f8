// Class colours that people with any colour vision can tell apart, on stained smears.
#pragma once

#include <cstdint>
#include <string_view>

namespace smearscope::draw {

struct Color {
  std::uint8_t red = 0, green = 0, blue = 0;
  bool operator==(const Color& other) const {
    return red == other.red && green == other.green && blue == other.blue;
  }
};

inline constexpr Color black{0, 0, 0};
inline constexpr Color white{255, 255, 255};

// The same class has the same colour in every frame, image and run: `label` picks it, and where there is none
// (label < 0) a hash of `name` does. Okabe and Ito's set (Color Universal Design, 2008) without black, then
// the same hues lighter and darker: 21 colours before they repeat.
Color class_color(int label, std::string_view name);

// Black or white, whichever reads better on `color` (WCAG 2.1 contrast ratio). Used for the text on a label
// and for the halo around a line, so that one of the two stands out on any background.
Color contrasting(Color color);

}  // namespace smearscope::draw
