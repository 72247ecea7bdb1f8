#include "report/drawing.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "report/html.h"

namespace smearscope::training {
namespace {

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", value);
  std::string result = text;
  while (result.back() == '0') result.pop_back();
  if (result.back() == '.') result.pop_back();
  return result == "-0" ? "0" : result;
}

std::string hex(Color color) {
  char text[8];
  std::snprintf(text, sizeof text, "#%02x%02x%02x", color.red, color.green, color.blue);
  return text;
}

std::string attribute(const char* name, const std::string& value) {
  return std::string(" ") + name + "=\"" + value + "\"";
}

std::string element(const Path& path) {
  std::string points;
  for (const Point& p : path.points) points += (points.empty() ? "" : " ") + number(p.x) + "," + number(p.y);
  const std::string color = hex(path.color);
  std::string text = path.filled ? "<polygon" : "<polyline";
  text += attribute("points", points) + attribute("fill", path.filled ? color : "none");
  if (!path.filled) text += attribute("stroke", color) + attribute("stroke-width", number(path.width));
  if (path.opacity < 1) text += attribute("opacity", number(path.opacity));
  if (path.dash > 0) text += attribute("stroke-dasharray", number(path.dash));
  return text + "/>\n";
}

std::string element(const Disc& disc) {
  const std::string color = hex(disc.color);
  return "<circle" + attribute("cx", number(disc.center.x)) + attribute("cy", number(disc.center.y)) +
         attribute("r", number(disc.radius)) + attribute("fill", disc.hollow ? "none" : color) +
         attribute("stroke", color) + attribute("stroke-width", "1.5") + "/>\n";
}

std::string element(const Label& label) {
  static constexpr const char* anchors[] = {"start", "middle", "end"};
  const std::string x = number(label.at.x), y = number(label.at.y);
  // As a style: the page's own for texts in charts goes before attributes.
  const std::string style = "font-size:" + number(label.size) + "px;fill:" + hex(label.color) +
                            (label.bold ? ";font-weight:600" : "");
  return "<text" + attribute("x", x) + attribute("y", y) +
         attribute("text-anchor", anchors[static_cast<std::size_t>(label.anchor)]) +
         attribute("style", style) +
         (label.upwards ? attribute("transform", "rotate(-90 " + x + " " + y + ")") : "") + ">" +
         corpus::escaped(label.text) + "</text>\n";
}

}  // namespace

Color run_color(std::size_t index) {
  static constexpr std::array<Color, 7> colors{{{0x00, 0x72, 0xB2},    // blue
                                                {0xD5, 0x5E, 0x00},    // vermillion
                                                {0x00, 0x9E, 0x73},    // bluish green
                                                {0xCC, 0x79, 0xA7},    // reddish purple
                                                {0xE6, 0x9F, 0x00},    // orange
                                                {0x56, 0xB4, 0xE9},    // sky blue
                                                {0x1b, 0x1b, 0x1f}}};  // black
  return colors[index % colors.size()];
}

Color shade(double share) {
  const double amount = std::clamp(share, 0.0, 1.0);
  const auto channel = [amount](int dark) {
    return static_cast<std::uint8_t>(std::lround(255 + (dark - 255) * amount));
  };
  return {channel(0x08), channel(0x40), channel(0x81)};
}

void Drawing::rectangle(Point corner, double w, double h, Color color) {
  Path path;
  path.points = {corner, {corner.x + w, corner.y}, {corner.x + w, corner.y + h}, {corner.x, corner.y + h}};
  path.color = color;
  path.filled = true;
  shapes.emplace_back(std::move(path));
}

void Drawing::line(Point from, Point to, Color color, double line_width, double dash) {
  shapes.emplace_back(Path{{from, to}, color, line_width, 1, dash, false});
}

std::string svg(const Drawing& drawing) {
  const std::string width = number(drawing.width), height = number(drawing.height);
  std::string text = "<svg" + attribute("viewBox", "0 0 " + width + " " + height) +
                     attribute("width", width) + attribute("height", height) + attribute("role", "img") +
                     attribute("aria-label", corpus::escaped(drawing.title)) + ">\n";
  for (const Shape& shape : drawing.shapes)
    text += std::visit([](const auto& each) { return element(each); }, shape);
  return text + "</svg>\n";
}

double text_width(const std::string& text, double size) {
  const auto characters =
      std::count_if(text.begin(), text.end(), [](unsigned char c) { return (c & 0xC0) != 0x80; });
  return 0.6 * size * static_cast<double>(characters);
}

}  // namespace smearscope::training
