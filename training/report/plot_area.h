// Axes with their ticks and what is drawn between them. Internal to the charts.
#pragma once

#include "report/plots.h"

namespace smearscope::training {

class PlotArea {
 public:
  // Pixels of the drawing that the axes enclose.
  PlotArea(Drawing& drawing, Point corner, double width, double height, Axis x, Axis y)
      : drawing_(drawing),
        corner_(corner),
        width_(width),
        height_(height),
        x_(std::move(x)),
        y_(std::move(y)) {}

  Point at(Point value) const;  // where a value is drawn
  // Grid, ticks with their numbers, and the axes' titles. `text_size`: of the numbers. No ticks on y where
  // `y_ticks` is 0.
  void frame(std::size_t x_ticks, std::size_t y_ticks, double text_size);
  void curve(const Curve& curve);

 private:
  Drawing& drawing_;
  Point corner_;
  double width_, height_;
  Axis x_, y_;
};

// Names with a piece of their line (or disc), from `start` on, in as many rows as it takes to stay left of
// `right`. Returns the height of them all.
double draw_legend(Drawing& drawing, Point start, double right, const std::vector<Curve>& curves);

std::string tick_text(double value);

}  // namespace smearscope::training
