#include <algorithm>
#include <string>

#include "draw/layout.h"

namespace smearscope::draw {
namespace {

struct Row {
  const Patch* name;
  const Patch* count;  // and the share; null: none
  const Patch* share = nullptr;
  Color swatch{};
  bool has_swatch = false;
  bool part = false;
  double bar = -1;  // share of the row's width; below 0: none
};

// The `most` rows with most cells, in the order that they have.
std::vector<const ClassCount*> largest(const std::vector<ClassCount>& rows, std::size_t most) {
  std::vector<const ClassCount*> kept;
  kept.reserve(rows.size());
  for (const ClassCount& row : rows) kept.push_back(&row);
  if (kept.size() <= most) return kept;
  std::stable_sort(kept.begin(), kept.end(),
                   [](const ClassCount* a, const ClassCount* b) { return a->count > b->count; });
  kept.resize(most);
  std::sort(kept.begin(), kept.end());  // all in one vector: by place
  return kept;
}

std::vector<Row> make_rows(const Panel& panel, std::size_t shown, int size, TextCache& text) {
  const TextStyle plain{size, false, white, false, black};
  const TextStyle bold{size, true, white, false, black};
  const auto number = [&](std::uint64_t value, const TextStyle& style) {
    return &text.render(std::to_string(value), style);
  };
  std::uint64_t total = 0;
  for (const ClassCount& row : panel.rows) total += row.part ? 0 : row.count;
  std::vector<Row> rows{{&text.render(panel.headline, bold), number(total, bold)}};
  if (!panel.goal.empty()) {
    rows.push_back({&text.render(panel.goal, plain), nullptr});
    rows.back().bar = std::clamp(panel.reached, 0.0, 1.0);
  }
  std::uint64_t rest = total;
  for (const ClassCount* row : largest(panel.rows, shown)) {
    rows.push_back({&text.render(row->class_name + (row->weak ? "?" : ""), plain), number(row->count, plain),
                    row->share.empty() ? nullptr : &text.render(row->share, plain),
                    class_color(row->label, row->class_name), true, row->part});
    rest -= row->part ? 0 : row->count;
  }
  if (shown < panel.rows.size())
    rows.push_back({&text.render("more", plain), rest > 0 ? number(rest, plain) : nullptr});
  return rows;
}

Rect place_panel(int width, int height, int panel_width, int panel_height, int margin,
                 PanelPosition position) {
  const bool right = position == PanelPosition::top_right || position == PanelPosition::bottom_right;
  const bool bottom = position == PanelPosition::bottom_left || position == PanelPosition::bottom_right;
  return {right ? width - margin - panel_width : margin, bottom ? height - margin - panel_height : margin,
          panel_width, panel_height};
}

}  // namespace

Rect add_panel(const Sizes& sizes, int width, int height, const Options& options, const Panel& panel,
               TextCache& text, std::vector<Item>& items) {
  const int pad = std::max(2, sizes.panel_text / 2);
  const int row_height = sizes.panel_text * 3 / 2;
  // At most two thirds of the frame's height; the headline, the goal and the row "more" count too.
  const std::size_t fit = std::max(0, (height * 2 / 3 - 2 * pad) / row_height);
  const std::size_t heads = panel.goal.empty() ? 1 : 2;
  if (fit < heads + 1) return {};
  const std::size_t shown = panel.rows.size() + heads <= fit ? panel.rows.size() : fit - heads - 1;
  const std::vector<Row> rows = make_rows(panel, shown, sizes.panel_text, text);

  const int swatch = sizes.panel_text * 3 / 4;
  const auto indent_of = [&](const Row& row) {
    return (row.part ? swatch : 0) + (row.has_swatch ? swatch + pad : 0);
  };
  int name_width = 0, share_width = 0;
  int count_width = text.render("0000", {sizes.panel_text, false, white, false, black}).width;
  for (const Row& row : rows) {
    name_width = std::max(name_width, row.name->width + indent_of(row));
    if (row.count) count_width = std::max(count_width, row.count->width);
    if (row.share) share_width = std::max(share_width, pad + row.share->width);
  }
  const Rect place =
      place_panel(width, height, 2 * pad + name_width + pad + count_width + share_width,
                  2 * pad + static_cast<int>(rows.size()) * row_height, pad, options.panel_position);
  if (place.x < 0 || place.y < 0 || place.right() > width || place.bottom() > height) return {};

  items.push_back({place.x, place.y, place.width, place.height, {16, 16, 20}, 200, nullptr});
  int y = place.y + pad;
  for (const Row& row : rows) {
    if (row.bar >= 0) {
      const int track = place.width - 2 * pad;
      items.push_back({place.x + pad, y, track, row_height - 2, {56, 56, 64}, 255, nullptr});
      items.push_back(
          {place.x + pad, y, static_cast<int>(row.bar * track), row_height - 2, {40, 110, 60}, 255, nullptr});
    }
    const int x = place.x + pad + indent_of(row);
    if (row.has_swatch)
      items.push_back(
          {x - swatch - pad, y + (row_height - swatch) / 2, swatch, swatch, row.swatch, 255, nullptr});
    const auto add_text = [&](const Patch& patch, int left) {
      items.push_back(
          {left, y + (row_height - patch.height) / 2, patch.width, patch.height, {}, 255, &patch});
    };
    const int right = place.right() - pad;
    add_text(*row.name, x);
    if (row.count) add_text(*row.count, right - share_width - row.count->width);
    if (row.share) add_text(*row.share, right - row.share->width);
    y += row_height;
  }
  return place;
}

}  // namespace smearscope::draw
