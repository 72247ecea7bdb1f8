#include "draw/draw.h"

#include <algorithm>
#include <cmath>

#include "draw/layout.h"

namespace smearscope::draw {

Sizes sizes_for(int width, int height, const Options& options) {
  // The side that would be the height of a 4:3 frame, so that a strip gets neither giant nor tiny text.
  const double side = std::min<double>(height, width * 0.75);
  const double scale = std::clamp(options.font_scale, 0.25, 8.0);
  const auto text = [scale](double size) { return std::max(4, static_cast<int>(std::lround(size * scale))); };
  Sizes sizes{};
  sizes.label_text = text(std::max(11.0, side / 66));
  sizes.small_label_text = text(std::max(9.0, side / 80));
  sizes.panel_text = text(std::max(12.0, side / 48));
  const int automatic = std::max(1, static_cast<int>(side / 400 + 0.8));  // 2 at 480, 3 at 1080, 6 at 2160
  sizes.line = options.line_width > 0 ? std::min(options.line_width, 64) : automatic;
  sizes.halo = std::max(1, sizes.line / 3);
  return sizes;
}

std::vector<PlacedCell> place_cells(int width, int height, const std::vector<ShownCell>& cells) {
  std::vector<PlacedCell> placed;
  placed.reserve(cells.size());
  for (const ShownCell& cell : cells) {
    const Box& box = cell.box;
    if (!std::isfinite(box.x_min + box.y_min + box.x_max + box.y_max)) continue;
    // Clamped a little outside the frame: lines of a side that lies outside are not drawn.
    const auto pixel = [](float value, int size) {
      return static_cast<int>(std::lround(std::clamp(value, -1000.0F, static_cast<float>(size) + 1000.0F)));
    };
    const int left = pixel(box.x_min, width), right = pixel(box.x_max, width);
    const int top = pixel(box.y_min, height), bottom = pixel(box.y_max, height);
    if (left >= right || top >= bottom || left >= width || top >= height || right <= 0 || bottom <= 0)
      continue;
    placed.push_back(
        {{left, top, right - left, bottom - top}, class_color(cell.label, cell.class_name), &cell});
  }
  return placed;
}

Occupancy::Occupancy(int width, int height, int tile)
    : width_(width), height_(height), tile_(tile), columns_(width / tile + 1) {
  taken_.assign(static_cast<std::size_t>(columns_) * (height / tile + 1), false);
}

bool Occupancy::free(const Rect& rect) const {
  if (rect.x < 0 || rect.y < 0 || rect.right() > width_ || rect.bottom() > height_) return false;
  for (int y = rect.y / tile_; y <= (rect.bottom() - 1) / tile_; ++y) {
    for (int x = rect.x / tile_; x <= (rect.right() - 1) / tile_; ++x) {
      if (taken_[static_cast<std::size_t>(y) * columns_ + x]) return false;
    }
  }
  return true;
}

void Occupancy::take(const Rect& rect) {
  const int right = std::min(rect.right(), width_), bottom = std::min(rect.bottom(), height_);
  if (rect.x >= right || rect.y >= bottom) return;
  for (int y = std::max(0, rect.y) / tile_; y <= (bottom - 1) / tile_; ++y) {
    for (int x = std::max(0, rect.x) / tile_; x <= (right - 1) / tile_; ++x) {
      taken_[static_cast<std::size_t>(y) * columns_ + x] = true;
    }
  }
}

struct Overlay::State {
  Options options;
  TextCache text;
  std::vector<Item> items;

  explicit State(const Options& chosen) : options(chosen), text(chosen.font) {}
};

Overlay::Overlay(const Options& options) : state_(std::make_unique<State>(options)) {}
Overlay::~Overlay() = default;

const std::vector<Item>& Overlay::compose(int width, int height, const std::vector<ShownCell>& cells,
                                          const Panel& panel, const Caption& caption) {
  const Options& options = state_->options;
  const Sizes sizes = sizes_for(width, height, options);
  const std::vector<PlacedCell> placed = place_cells(width, height, cells);
  std::vector<Item> above;  // what lies above boxes and labels
  std::vector<Rect> reserved;
  state_->text.trim();
  state_->items.clear();
  if (options.boxes) add_boxes(sizes, placed, state_->items);
  if (options.counts) reserved = {add_panel(sizes, width, height, options, panel, state_->text, above)};
  const auto reserve = [&](const std::optional<Rect>& place) {
    if (place) reserved.push_back(*place);
  };
  if (options.warnings)
    reserve(add_warning(sizes, width, height, caption.warning, reserved, state_->text, above));
  if (options.scale_bar) reserve(add_scale_bar(sizes, width, height, caption, reserved, state_->text, above));
  if (options.labels || options.scores) {
    add_labels(sizes, width, height, options, reserved, placed, state_->text, state_->items);
  }
  state_->items.insert(state_->items.end(), above.begin(), above.end());
  return state_->items;
}

}  // namespace smearscope::draw
