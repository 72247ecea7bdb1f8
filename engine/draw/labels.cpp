#include <algorithm>
#include <cmath>

#include "draw/layout.h"

namespace smearscope::draw {
namespace {

// A cell of fewer label heights than this is small: nothing may cover it, and its label goes beside it.
constexpr int small_cell_heights = 3;
// With more cells than this all labels are small.
constexpr std::size_t crowd = 60;

// Whole percent, rounded down: 99.7% is not certainty.
std::string percent(double score) {
  return std::to_string(static_cast<int>(std::floor(std::clamp(score, 0.0, 1.0) * 100 + 1e-4))) + "%";
}

// The first three characters.
std::string short_form(const std::string& name) {
  std::size_t end = 0;
  for (int characters = 0; end < name.size(); ++end) {
    const bool starts_character = (static_cast<unsigned char>(name[end]) & 0xC0) != 0x80;
    if (starts_character && characters++ == 3) break;
  }
  return name.substr(0, end);
}

// What a label may say, longest first.
std::vector<std::string> wordings(const ShownCell& cell, const Options& options) {
  if (!options.labels) return {percent(cell.score)};
  std::vector<std::string> texts;
  if (cell.class_name.empty()) return options.scores ? std::vector{percent(cell.score)} : texts;
  const std::string doubt = cell.weak ? "?" : "";
  if (options.scores) texts.push_back(cell.class_name + doubt + " " + percent(cell.score));
  texts.push_back(cell.class_name + doubt);
  if (const std::string brief = short_form(cell.class_name); brief != cell.class_name)
    texts.push_back(brief + doubt);
  return texts;
}

// In the corners of a box that is large enough.
bool find_place_inside(const Rect& box, const Occupancy& occupancy, Rect& label) {
  if (label.width > box.width) return false;
  for (const int y : {box.y, box.bottom() - label.height}) {
    for (const int x : {box.x, box.right() - label.width}) {
      label.x = x;
      label.y = y;
      if (occupancy.free(label)) return true;
    }
  }
  return false;
}

// Above or below a small box, from its left edge or up to its right edge, then right and left of it.
bool find_place_beside(const Rect& box, int gap, const Occupancy& occupancy, Rect& label) {
  for (const int y : {box.y - gap - label.height, box.bottom() + gap}) {
    for (const int x : {box.x - gap, box.right() + gap - label.width}) {
      label.x = x;
      label.y = y;
      if (occupancy.free(label)) return true;
    }
  }
  label.y = box.y + (box.height - label.height) / 2;
  for (const int x : {box.right() + gap, box.x - gap - label.width}) {
    label.x = x;
    if (occupancy.free(label)) return true;
  }
  return false;
}

// The order in which cells get their labels: small ones first, as they have least choice, then down the
// picture. It does not depend on scores, so that labels don't jump between frames.
std::vector<const PlacedCell*> label_order(const std::vector<PlacedCell>& cells, int small_side) {
  std::vector<const PlacedCell*> order;
  for (const PlacedCell& cell : cells) order.push_back(&cell);
  const auto key = [small_side](const PlacedCell& cell) {
    const bool large = std::min(cell.rect.width, cell.rect.height) >= small_side;
    return std::make_tuple(large, cell.rect.y, cell.rect.x);
  };
  std::sort(order.begin(), order.end(),
            [&](const PlacedCell* a, const PlacedCell* b) { return key(*a) < key(*b); });
  return order;
}

}  // namespace

void add_labels(const Sizes& sizes, int width, int height, const Options& options,
                const std::vector<Rect>& reserved, const std::vector<PlacedCell>& cells, TextCache& text,
                std::vector<Item>& items) {
  const int size = cells.size() > crowd ? sizes.small_label_text : sizes.label_text;
  const int small_side = small_cell_heights * size;
  const int gap = sizes.line + sizes.halo;
  Occupancy occupancy(width, height, std::max(2, size / 4));
  for (const Rect& rect : reserved) occupancy.take(rect);
  for (const PlacedCell& cell : cells) {
    if (std::min(cell.rect.width, cell.rect.height) < small_side) occupancy.take(cell.rect);
  }
  for (const PlacedCell* cell : label_order(cells, small_side)) {
    const bool small = std::min(cell->rect.width, cell->rect.height) < small_side;
    for (const std::string& wording : wordings(*cell->cell, options)) {
      const Patch& patch = text.render(wording, {size, true, contrasting(cell->color), true, cell->color});
      Rect place{0, 0, patch.width, patch.height};
      const bool found = small ? find_place_beside(cell->rect, gap, occupancy, place)
                               : find_place_inside(cell->rect, occupancy, place);
      if (!found) continue;
      occupancy.take(place);
      items.push_back({place.x, place.y, place.width, place.height, cell->color, 255, &patch});
      break;
    }
  }
}

}  // namespace smearscope::draw
