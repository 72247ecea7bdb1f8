// Parts of Overlay::compose: sizes, boxes, labels, panel, caption. Internal to engine/draw.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "draw/draw.h"

namespace smearscope::draw {

// Pixels [x, x + width) x [y, y + height).
struct Rect {
  int x = 0, y = 0, width = 0, height = 0;
  int right() const { return x + width; }
  int bottom() const { return y + height; }
};

// Pixel sizes that suit one frame.
struct Sizes {
  int label_text, small_label_text, panel_text;
  int line, halo;
};
Sizes sizes_for(int width, int height, const Options& options);

// A cell whose box has area inside the frame, in whole pixels, with its position in compose's `cells`.
struct PlacedCell {
  Rect rect;
  Color color;
  const ShownCell* cell;
};
std::vector<PlacedCell> place_cells(int width, int height, const std::vector<ShownCell>& cells);

// Which parts of the frame must not be covered, in tiles of `tile` pixels.
class Occupancy {
 public:
  Occupancy(int width, int height, int tile);
  bool free(const Rect& rect) const;  // no tile that rect touches is taken, and rect lies in the frame
  void take(const Rect& rect);        // only its parts inside the frame

 private:
  int width_, height_, tile_, columns_;
  std::vector<bool> taken_;
};

void add_boxes(const Sizes& sizes, const std::vector<PlacedCell>& cells, std::vector<Item>& items);

// Returns the panel's place (empty if it was not drawn, because it would not fit).
Rect add_panel(const Sizes& sizes, int width, int height, const Options& options, const Panel& panel,
               TextCache& text, std::vector<Item>& items);

// Add nothing, and return nothing, where nothing fits without touching one of `taken`.
std::optional<Rect> add_warning(const Sizes& sizes, int width, int height, const std::string& warning,
                                const std::vector<Rect>& taken, TextCache& text, std::vector<Item>& items);
std::optional<Rect> add_scale_bar(const Sizes& sizes, int width, int height, const Caption& caption,
                                  const std::vector<Rect>& taken, TextCache& text, std::vector<Item>& items);

// `reserved`: where no label may go, beside small cells.
void add_labels(const Sizes& sizes, int width, int height, const Options& options,
                const std::vector<Rect>& reserved, const std::vector<PlacedCell>& cells, TextCache& text,
                std::vector<Item>& items);

}  // namespace smearscope::draw
