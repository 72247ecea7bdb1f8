#include <algorithm>

#include "draw/layout.h"

namespace smearscope::draw {
namespace {

Rect grown(const Rect& rect, int by) {
  return {rect.x - by, rect.y - by, rect.width + 2 * by, rect.height + 2 * by};
}

void add_flat(const Rect& rect, Color color, std::uint8_t alpha, std::vector<Item>& items) {
  items.push_back({rect.x, rect.y, rect.width, rect.height, color, alpha, nullptr});
}

// The ring of `width` pixels just inside `outer`, as four bars that don't overlap.
void add_ring(const Rect& outer, int width, Color color, std::uint8_t alpha, std::vector<Item>& items) {
  const int inner_height = outer.height - 2 * width;
  add_flat({outer.x, outer.y, outer.width, width}, color, alpha, items);
  add_flat({outer.x, outer.bottom() - width, outer.width, width}, color, alpha, items);
  add_flat({outer.x, outer.y + width, width, inner_height}, color, alpha, items);
  add_flat({outer.right() - width, outer.y + width, width, inner_height}, color, alpha, items);
}

// Cuts one bar into dashes of its longer side.
void add_dashes(const Item& bar, int dash, std::vector<Item>& items) {
  const bool across = bar.width >= bar.height;
  const int length = across ? bar.width : bar.height;
  for (int start = 0; start < length; start += 2 * dash) {
    Item piece = bar;
    (across ? piece.x : piece.y) += start;
    (across ? piece.width : piece.height) = std::min(dash, length - start);
    items.push_back(piece);
  }
}

void add_dashed_ring(const Rect& outer, int width, Color color, std::vector<Item>& items) {
  std::vector<Item> bars;
  add_ring(outer, width, color, 255, bars);
  for (const Item& bar : bars) add_dashes(bar, 3 * width, items);
}

// Thinner around a small cell, so that the frame isn't more than the cell.
int line_for(const Sizes& sizes, const Rect& rect) {
  return std::clamp(std::min(rect.width, rect.height) / 10, 1, sizes.line);
}

}  // namespace

void add_boxes(const Sizes& sizes, const std::vector<PlacedCell>& cells, std::vector<Item>& items) {
  constexpr std::uint8_t halo_alpha = 150;
  // All halos lie under all lines: where boxes overlap, no halo cuts a line. A halo reaches out on both sides
  // of its line; around a very small cell on the outer side alone.
  for (const PlacedCell& cell : cells) {
    const int line = line_for(sizes, cell.rect);
    const bool roomy = std::min(cell.rect.width, cell.rect.height) > 2 * sizes.halo;
    add_ring(grown(cell.rect, line + sizes.halo), line + (roomy ? 2 : 1) * sizes.halo,
             contrasting(cell.color), halo_alpha, items);
  }
  for (const PlacedCell& cell : cells) {
    const int line = line_for(sizes, cell.rect);
    const Rect outer = grown(cell.rect, line);
    if (cell.cell->stale) {
      add_dashed_ring(outer, line, cell.color, items);
    } else {
      add_ring(outer, line, cell.color, 255, items);
    }
  }
}

}  // namespace smearscope::draw
