// A chart as plain shapes, which becomes SVG inside a page or a PNG file that looks the same.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "draw/palette.h"

namespace smearscope::training {

using draw::Color;

inline constexpr Color ink{0x1b, 0x1b, 0x1f}, grey_ink{0x5a, 0x5a, 0x64}, grid_grey{0xe2, 0xe2, 0xe8};

// The colour of the index-th run: Okabe and Ito's, those first that stand out on white.
Color run_color(std::size_t index);
// From white (0) to a dark blue (1), as light to dark for everybody.
Color shade(double share);

// Pixels of the drawing, from its top left corner.
struct Point {
  double x = 0, y = 0;
};

// Lines from point to point, or, where `filled`, the area inside of them.
struct Path {
  std::vector<Point> points;
  Color color = ink;
  double width = 1;  // of the line
  double opacity = 1;
  double dash = 0;  // length of dashes and gaps; 0: solid
  bool filled = false;
};

struct Disc {
  Point center;
  double radius = 3;
  Color color = ink;
  bool hollow = false;  // a ring
};

enum class Anchor { start, middle, end };  // which end of a text its point is; y is that of the baseline

struct Label {
  Point at;
  std::string text;
  Anchor anchor = Anchor::start;
  double size = 12;  // of the font
  Color color = ink;
  bool bold = false;
  bool upwards = false;  // turned by a quarter, to be read from below
};

using Shape = std::variant<Path, Disc, Label>;

struct Drawing {
  double width = 0, height = 0;  // pixels
  std::string title;             // for those who don't see it; not drawn
  std::vector<Shape> shapes;     // painted in order, on white

  void rectangle(Point corner, double w, double h, Color color);
  void line(Point from, Point to, Color color, double line_width = 1, double dash = 0);
};

std::string svg(const Drawing& drawing);

// Bytes of a PNG file, `scale` pixels to one of the drawing. Throws Error if it is too large for Cairo.
std::string png(const Drawing& drawing, double scale);

// About as wide as the text is at that size.
double text_width(const std::string& text, double size);

}  // namespace smearscope::training
