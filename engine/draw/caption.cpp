#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "draw/layout.h"

namespace smearscope::draw {
namespace {

constexpr Color amber{240, 180, 40};
constexpr Color plate{16, 16, 20};
constexpr std::uint8_t plate_alpha = 200;
constexpr double widest = 0.2;                          // share of the frame's width
constexpr double shortest_um = 0.01, longest_um = 1e5;  // beyond it is no light microscope's picture

bool touch(const Rect& a, const Rect& b) {
  return a.x < b.right() && b.x < a.right() && a.y < b.bottom() && b.y < a.bottom();
}

bool is_free(const Rect& place, int width, int height, const std::vector<Rect>& taken) {
  const bool inside = place.x >= 0 && place.y >= 0 && place.right() <= width && place.bottom() <= height;
  return inside &&
         std::none_of(taken.begin(), taken.end(), [&](const Rect& other) { return touch(place, other); });
}

// Moves a rectangle to the first of `corners`, its top left corners, where it lies in the frame and touches
// none of `taken`.
std::optional<Rect> placed(Rect rect, const std::vector<std::pair<int, int>>& corners, int width, int height,
                           const std::vector<Rect>& taken) {
  for (const auto& [x, y] : corners) {
    rect.x = x;
    rect.y = y;
    if (is_free(rect, width, height, taken)) return rect;
  }
  return std::nullopt;
}

void add_patch(const Patch& patch, int x, int y, std::vector<Item>& items) {
  items.push_back({x, y, patch.width, patch.height, {}, 255, &patch});
}

// The longest of 1, 2 and 5 times a power of ten that is no longer than `most`.
double round_length(double most) {
  const double power = std::pow(10, std::floor(std::log10(most)));
  for (const double step : {5.0, 2.0}) {
    if (step * power <= most) return step * power;
  }
  return power;
}

std::string length_text(double um, bool estimated) {
  const bool millimetres = um >= 1000;
  const double number = millimetres ? um / 1000 : um;
  char digits[32];
  std::snprintf(digits, sizeof digits, "%g", number);
  return std::string(estimated ? "\u2248 " : "") + digits + (millimetres ? " mm" : " \u00b5m");
}

}  // namespace

std::optional<Rect> add_warning(const Sizes& sizes, int width, int height, const std::string& warning,
                                const std::vector<Rect>& taken, TextCache& text, std::vector<Item>& items) {
  if (warning.empty()) return std::nullopt;
  const Patch& patch = text.render(warning, {sizes.panel_text, true, contrasting(amber), true, amber});
  const int margin = std::max(2, sizes.panel_text / 2);
  const int centre = (width - patch.width) / 2, right = width - margin - patch.width;
  const int top = margin, bottom = height - margin - patch.height;
  const std::optional<Rect> place = placed(
      {0, 0, patch.width, patch.height},
      {{centre, bottom}, {right, bottom}, {margin, bottom}, {centre, top}, {right, top}, {margin, top}},
      width, height, taken);
  if (place) add_patch(patch, place->x, place->y, items);
  return place;
}

std::optional<Rect> add_scale_bar(const Sizes& sizes, int width, int height, const Caption& caption,
                                  const std::vector<Rect>& taken, TextCache& text, std::vector<Item>& items) {
  const double most = widest * width * caption.pixel_size_um;
  if (!(most > shortest_um && most < longest_um)) return std::nullopt;
  const double length_um = round_length(most);
  const int length = std::max(1, static_cast<int>(std::lround(length_um / caption.pixel_size_um)));
  const Patch& patch = text.render(length_text(length_um, caption.estimated), {sizes.panel_text});
  const int margin = std::max(2, sizes.panel_text / 2), pad = margin, thickness = std::max(2, sizes.line);
  const int plate_width = std::max(length, patch.width) + 2 * pad;
  const int plate_height = patch.height + thickness + 2 * pad;
  const int y = height - margin - plate_height;
  const std::optional<Rect> corner =
      placed({0, 0, plate_width, plate_height}, {{width - margin - plate_width, y}, {margin, y}}, width,
             height, taken);
  if (!corner) return std::nullopt;
  const Rect& place = *corner;
  items.push_back({place.x, place.y, place.width, place.height, plate, plate_alpha, nullptr});
  add_patch(patch, place.x + (plate_width - patch.width) / 2, place.y + pad / 2, items);
  items.push_back({place.x + (plate_width - length) / 2, place.bottom() - pad - thickness, length, thickness,
                   white, 255, nullptr});
  return place;
}

}  // namespace smearscope::draw
