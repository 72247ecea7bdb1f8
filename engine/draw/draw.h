// What smearscope shows on a picture of a smear: a box around each cell, its name and score, a panel of
// counts, a scale bar and a warning. Used by celloverlay and smearscope-detect, so that both look the same.
//
//   Overlay overlay(options);
//   painter.paint(canvas, overlay.compose(width, height, cells, panel));
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "draw/paint.h"
#include "smearscope/detector.h"

namespace smearscope::draw {

enum class PanelPosition { top_left, top_right, bottom_left, bottom_right };

struct Options {
  bool boxes = true;
  bool labels = true;  // class names
  bool scores = true;  // percent, rounded down, behind the name
  bool counts = true;  // the panel
  bool scale_bar = true;
  bool warnings = true;
  PanelPosition panel_position = PanelPosition::top_left;
  std::string font = "Sans";  // Pango family list
  double font_scale = 1.0;    // times the size that suits the frame's height, 0.25 to 8
  int line_width = 0;         // pixels, up to 64; 0: what suits the frame's height
};

struct ShownCell {
  Box box;                 // frame pixels; may reach outside the frame
  double score = 0;        // 0..1
  int label = -1;          // index of the class, -1 if unknown: picks the colour
  std::string class_name;  // "": no label but for the score
  bool stale = false;      // not seen lately: dashed
  bool weak = false;       // the class is often misnamed: a "?" behind its name
};

struct ClassCount {
  std::string class_name;
  int label = -1;
  std::uint64_t count = 0;
  std::string share{};  // stands right of the count, as "42 %"; empty: nothing
  bool part = false;    // of the row above it that is none: indented, and not summed up once more
  bool weak = false;    // as of ShownCell
};

struct Panel {
  std::string headline;          // stands left of the total
  std::vector<ClassCount> rows;  // in the order shown; where not all fit, those of most cells stay, and a
                                 // last row "more" sums up the others
  std::string goal{};            // a line below the headline, as "wbc 57/100"; empty: none
  double reached = 0;            // share of the goal, 0..1: how far a bar goes that lies under that line
};

// What is said of the picture as a whole.
struct Caption {
  double pixel_size_um = 0;  // micrometres per pixel of the frame: gives the scale bar; 0: no bar
  bool estimated = false;    // the bar's length is written with a sign that says so
  std::string warning{};     // as "Out of focus"; empty: none
};

// Where everything goes. Sizes grow with the frame's shorter side; text is at least 9 pixels high at
// font_scale 1. Lines run just outside the boxes, so that they hide nothing of a cell. A label lies inside
// its box's corner where there is room, else beside the box; the score, then the end of the name, is left out
// where there is little room; where even that would cover another label or a small cell there is no label.
// A warning stands in the middle of the lower edge or, if that is taken, at another place of the lower or the
// upper edge. The scale bar, of 1, 2 or 5 times a power of ten, is a fifth of the frame's width at most and
// lies in the lower right corner, or else in the left one. What does not fit beside the panel, the warning
// before the bar, is left out. Boxes without area, or not finite, are left out. One thread at a time.
class Overlay {
 public:
  explicit Overlay(const Options& options);
  ~Overlay();
  Overlay(const Overlay&) = delete;
  Overlay& operator=(const Overlay&) = delete;

  // Items to paint, in order, for a frame of `width` x `height` pixels. The result, and the pictures it
  // points to, live until the next compose or the Overlay's end.
  const std::vector<Item>& compose(int width, int height, const std::vector<ShownCell>& cells,
                                   const Panel& panel, const Caption& caption = {});

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace smearscope::draw
