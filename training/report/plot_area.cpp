#include "report/plot_area.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace smearscope::training {
namespace {

bool inside(double value, const Axis& axis) {
  return value >= axis.low && value <= axis.high;
}

// The part of the line from a to b between low and high of y; false if there is none.
bool cut(Point& a, Point& b, const Axis& y) {
  const auto move_to_edge = [&](Point& outside, const Point& other) {
    const double edge = std::clamp(outside.y, y.low, y.high);
    const double share = (edge - other.y) / (outside.y - other.y);
    outside = {other.x + share * (outside.x - other.x), edge};
  };
  if ((a.y < y.low && b.y < y.low) || (a.y > y.high && b.y > y.high)) return false;
  if (!inside(a.y, y)) move_to_edge(a, b);
  if (!inside(b.y, y)) move_to_edge(b, a);
  return true;
}

}  // namespace

std::string tick_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", std::abs(value) < 1e-12 ? 0.0 : value);
  return text;
}

std::vector<double> ticks(const Axis& axis, std::size_t wanted) {
  const double range = axis.high - axis.low;
  const double rough = range / static_cast<double>(std::max<std::size_t>(1, wanted));
  const double power = std::pow(10, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double round : {1.0, 2.0, 2.5, 5.0}) {
    if (round * power >= rough * 0.999) {
      step = round * power;
      break;
    }
  }
  std::vector<double> places;
  const auto first = static_cast<long>(std::ceil(axis.low / step - 1e-9));
  const auto last = static_cast<long>(std::floor(axis.high / step + 1e-9));
  for (long i = first; i <= last; ++i) places.push_back(static_cast<double>(i) * step);
  return places;
}

Point PlotArea::at(Point value) const {
  return {corner_.x + width_ * (value.x - x_.low) / (x_.high - x_.low),
          corner_.y + height_ * (1 - (value.y - y_.low) / (y_.high - y_.low))};
}

void PlotArea::frame(std::size_t x_ticks, std::size_t y_ticks, double text_size) {
  const double right = corner_.x + width_, bottom = corner_.y + height_;
  double widest = 0;
  const std::vector<double> y_places = y_ticks > 0 ? ticks(y_, y_ticks) : std::vector<double>();
  for (const double tick : y_places) {
    const double y = at({x_.low, tick}).y;
    drawing_.line({corner_.x, y}, {right, y}, grid_grey);
    const std::string text = tick_text(tick);
    widest = std::max(widest, text_width(text, text_size));
    drawing_.shapes.emplace_back(
        Label{{corner_.x - 6, y + 0.36 * text_size}, text, Anchor::end, text_size, grey_ink});
  }
  for (const double tick : ticks(x_, x_ticks)) {
    const double x = at({tick, y_.low}).x;
    drawing_.line({x, bottom}, {x, bottom + 4}, ink);
    drawing_.shapes.emplace_back(
        Label{{x, bottom + 5 + text_size}, tick_text(tick), Anchor::middle, text_size, grey_ink});
  }
  drawing_.line({corner_.x, bottom}, {right, bottom}, ink);
  drawing_.line({corner_.x, corner_.y}, {corner_.x, bottom}, ink);
  if (!x_.title.empty()) {
    drawing_.shapes.emplace_back(
        Label{{corner_.x + width_ / 2, bottom + 12 + 2 * text_size}, x_.title, Anchor::middle, 12});
  }
  if (!y_.title.empty()) {
    Label label{{corner_.x - 14 - widest, corner_.y + height_ / 2}, y_.title, Anchor::middle, 12};
    label.upwards = true;
    drawing_.shapes.emplace_back(std::move(label));
  }
}

void PlotArea::curve(const Curve& curve) {
  std::vector<Point> piece;
  const auto finish = [&] {
    if (piece.size() > 1)
      drawing_.shapes.emplace_back(Path{piece, curve.color, curve.width, 1, curve.dash, false});
    piece.clear();
  };
  for (std::size_t i = 1; i < curve.points.size(); ++i) {
    Point a = curve.points[i - 1], b = curve.points[i];
    const bool leaves = !inside(b.y, y_);
    if (!cut(a, b, y_)) {
      finish();
      continue;
    }
    if (piece.empty()) piece.push_back(at(a));
    piece.push_back(at(b));
    if (leaves) finish();
  }
  finish();
  if (!curve.marked) return;
  for (const Point& p : curve.points) {
    if (inside(p.x, x_) && inside(p.y, y_)) drawing_.shapes.emplace_back(Disc{at(p), 3, curve.color, false});
  }
}

double draw_legend(Drawing& drawing, Point start, double right, const std::vector<Curve>& curves) {
  constexpr double row = 19, sample = 24, gap = 22, size = 12;
  Point place = start;
  bool any = false;
  for (const Curve& curve : curves) {
    if (curve.name.empty()) continue;
    const double width = sample + 6 + text_width(curve.name, size);
    if (any && place.x + width > right) place = {start.x, place.y + row};
    const double y = place.y + row / 2;
    if (curve.width > 0)
      drawing.shapes.emplace_back(
          Path{{{place.x, y}, {place.x + sample, y}}, curve.color, 2.2, 1, curve.dash, false});
    if (curve.marked)
      drawing.shapes.emplace_back(Disc{{place.x + sample / 2, y}, 3.5, curve.color, curve.dash > 0});
    drawing.shapes.emplace_back(Label{{place.x + sample + 6, y + 4.3}, curve.name, Anchor::start, size});
    place.x += width + gap;
    any = true;
  }
  return any ? place.y + row - start.y : 0;
}

}  // namespace smearscope::training
