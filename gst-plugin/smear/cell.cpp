#include "smear/cell.h"

#include <algorithm>
#include <cmath>

namespace smearscope::smear {

CellClass class_of(CellKind kind) {
  if (kind == CellKind::platelet) return CellClass::platelet;
  return kind <= CellKind::monocyte ? CellClass::wbc : CellClass::rbc;
}

const char* name_of(CellClass cell_class) {
  static constexpr const char* names[] = {"wbc", "rbc", "platelet"};
  return names[static_cast<int>(cell_class)];
}

const char* name_of(CellKind kind) {
  static constexpr const char* names[] = {
      "neutrophil",  "eosinophil", "basophil",    "lymphocyte",  "monocyte", "discocyte", "ovalocyte",
      "target cell", "spherocyte", "stomatocyte", "hypochromic", "teardrop", "burr cell", "platelet"};
  return names[static_cast<int>(kind)];
}

namespace {

// Unit direction of a diamond angle in [0, 4].
Outline::Point direction_of(double diamond) {
  const double x = diamond < 2 ? 1 - diamond : diamond - 3;
  const double y = diamond < 1 ? diamond : diamond < 3 ? 2 - diamond : diamond - 4;
  const double length = std::hypot(x, y);
  return {x / length, y / length};
}

}  // namespace

Outline::Outline(double semi_major, double semi_minor, double angle, const std::vector<double>& amplitudes,
                 const std::vector<double>& phases) {
  for (int i = 0; i <= samples; ++i) {
    const Point direction = direction_of(4.0 * (i % samples) / samples);
    const double theta = std::atan2(direction.y, direction.x);
    const double along = std::cos(theta - angle) / semi_major, across = std::sin(theta - angle) / semi_minor;
    double shape = 1;
    for (std::size_t k = 0; k < amplitudes.size(); ++k)
      shape += amplitudes[k] * std::cos((k + 2) * (theta - phases[k]));
    radii_[i] = static_cast<float>(shape / std::hypot(along, across));
    max_radius_ = std::max(max_radius_, radii_[i]);
  }
}

float Outline::radius(float x, float y) const {
  const float sum = std::abs(x) + std::abs(y);
  if (sum == 0) return radii_[0];
  const float t = y / sum;
  const float diamond = x < 0 ? 2 - t : t < 0 ? 4 + t : t;
  const float position = diamond * (samples / 4);
  const int index = std::min(static_cast<int>(position), samples - 1);
  return radii_[index] + (radii_[index + 1] - radii_[index]) * (position - index);
}

Outline::Point Outline::vertex(int index) const {
  const Point direction = direction_of(4.0 * index / samples);
  return {direction.x * radii_[index], direction.y * radii_[index]};
}

namespace {

using Polygon = std::vector<Outline::Point>;

double area_of(const Polygon& polygon) {
  double twice = 0;
  for (std::size_t i = 0; i < polygon.size(); ++i) {
    const auto& a = polygon[i];
    const auto& b = polygon[(i + 1) % polygon.size()];
    twice += a.x * b.y - b.x * a.y;
  }
  return std::abs(twice) / 2;
}

// Keeps what lies at or beyond `limit` along `axis` (Sutherland and Hodgman, 1974); `sign` -1 keeps what lies
// before.
Polygon clip(const Polygon& polygon, double Outline::Point::*axis, double limit, double sign) {
  Polygon kept;
  kept.reserve(polygon.size() + 4);
  for (std::size_t i = 0; i < polygon.size(); ++i) {
    const auto& a = polygon[i];
    const auto& b = polygon[(i + 1) % polygon.size()];
    const double from = sign * (a.*axis - limit), to = sign * (b.*axis - limit);
    if (from >= 0) kept.push_back(a);
    if ((from >= 0) != (to >= 0)) {
      const double t = from / (from - to);
      kept.push_back({a.x + (b.x - a.x) * t, a.y + (b.y - a.y) * t});
    }
  }
  return kept;
}

}  // namespace

double Outline::area() const {
  Polygon polygon;
  for (int i = 0; i < samples; ++i) polygon.push_back(vertex(i));
  return area_of(polygon);
}

Visible visible_part(const SlideCell& cell, double left, double top, double right, double bottom) {
  const double reach = cell.outline.max_radius();
  if (cell.x + reach <= left || cell.x - reach >= right || cell.y + reach <= top || cell.y - reach >= bottom)
    return {};
  Polygon polygon;
  polygon.reserve(Outline::samples + 8);
  for (int i = 0; i < Outline::samples; ++i) {
    const auto point = cell.outline.vertex(i);
    polygon.push_back({cell.x + point.x, cell.y + point.y});
  }
  const double whole = area_of(polygon);
  const bool inside =
      cell.x - reach >= left && cell.x + reach <= right && cell.y - reach >= top && cell.y + reach <= bottom;
  if (!inside) {
    polygon = clip(polygon, &Outline::Point::x, left, 1);
    polygon = clip(polygon, &Outline::Point::x, right, -1);
    polygon = clip(polygon, &Outline::Point::y, top, 1);
    polygon = clip(polygon, &Outline::Point::y, bottom, -1);
  }
  if (polygon.size() < 3) return {};
  Visible visible{right, bottom, left, top, inside ? 1 : area_of(polygon) / whole};
  for (const auto& point : polygon) {
    visible.x_min = std::min(visible.x_min, point.x);
    visible.x_max = std::max(visible.x_max, point.x);
    visible.y_min = std::min(visible.y_min, point.y);
    visible.y_max = std::max(visible.y_max, point.y);
  }
  return visible;
}

}  // namespace smearscope::smear
