#include "report/charts.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "draw/palette.h"
#include "report/html.h"
#include "report/statistics.h"

namespace smearscope::corpus {
namespace {

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

std::string rounded(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", value);
  return text;
}

std::string rect(double x, double y, double width, double height, const std::string& color,
                 const std::string& tip) {
  return "<rect x=\"" + number(x) + "\" y=\"" + number(y) + "\" width=\"" + number(width) + "\" height=\"" +
         number(height) + "\" fill=\"" + color + "\"><title>" + escaped(tip) + "</title></rect>";
}

std::string text_at(double x, double y, const char* anchor, const char* style, const std::string& text) {
  return "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" text-anchor=\"" + anchor + "\" class=\"" +
         style + "\">" + escaped(text) + "</text>";
}

std::string open_svg(double width, double height, const std::string& label) {
  return "<svg viewBox=\"0 0 " + number(width) + " " + number(height) + "\" width=\"" + number(width) +
         "\" height=\"" + number(height) + "\" role=\"img\" aria-label=\"" + escaped(label) + "\">";
}

}  // namespace

std::string series_color(std::size_t index) {
  const draw::Color color = draw::class_color(static_cast<int>(index % 1000), "");
  char text[8];
  std::snprintf(text, sizeof text, "#%02x%02x%02x", color.red, color.green, color.blue);
  return text;
}

std::string bar_chart(const std::vector<Bar>& bars, const std::vector<std::string>& series) {
  constexpr double row = 22, left = 190, width = 660, right = 90;
  std::size_t largest = 1;
  const auto sum = [](const Bar& bar) {
    std::size_t total = 0;
    for (const std::size_t part : bar.parts) total += part;
    return total;
  };
  for (const Bar& bar : bars) largest = std::max(largest, sum(bar));
  const double height = row * static_cast<double>(bars.size());
  std::string svg = open_svg(left + width + right, height, "boxes of each class");
  for (std::size_t i = 0; i < bars.size(); ++i) {
    const double y = row * static_cast<double>(i);
    double x = left;
    svg += text_at(left - 8, y + 15, "end", "name", bars[i].name);
    for (std::size_t s = 0; s < bars[i].parts.size(); ++s) {
      if (bars[i].parts[s] == 0) continue;
      const double length = width * static_cast<double>(bars[i].parts[s]) / static_cast<double>(largest);
      svg += rect(x, y + 3, length, row - 6, series_color(s), series[s] + ": " + grouped(bars[i].parts[s]));
      x += length;
    }
    svg += text_at(x + 6, y + 15, "start", "value", grouped(sum(bars[i])));
  }
  return svg + "</svg>";
}

std::string histogram(const std::string& title, const std::vector<Series>& series, double low, double high,
                      int bins, const std::string& unit) {
  constexpr double width = 250, height = 90, top = 20, bottom = 30, side = 8;
  std::vector<std::vector<std::size_t>> counts(series.size(),
                                               std::vector<std::size_t>(static_cast<std::size_t>(bins)));
  std::vector<std::size_t> sums(static_cast<std::size_t>(bins));
  std::vector<float> all;
  for (std::size_t s = 0; s < series.size(); ++s) {
    for (const float value : *series[s].values) {
      const int bin = std::clamp(static_cast<int>((value - low) / (high - low) * bins), 0, bins - 1);
      ++counts[s][static_cast<std::size_t>(bin)];
      ++sums[static_cast<std::size_t>(bin)];
    }
    all.insert(all.end(), series[s].values->begin(), series[s].values->end());
  }
  std::sort(all.begin(), all.end());
  const double tallest =
      static_cast<double>(std::max<std::size_t>(1, *std::max_element(sums.begin(), sums.end())));
  const double step = width / bins, base = top + height;
  std::string svg = open_svg(width + 2 * side, top + height + bottom, title + ", histogram");
  svg += text_at(side, 13, "start", "name", title) +
         text_at(side + width, 13, "end", "value", "n = " + grouped(all.size()));
  for (int bin = 0; bin < bins; ++bin) {
    double y = base;
    const auto b = static_cast<std::size_t>(bin);
    for (std::size_t s = 0; s < series.size(); ++s) {
      if (counts[s][b] == 0) continue;
      const double tall = height * static_cast<double>(counts[s][b]) / tallest;
      y -= tall;
      const double from = low + (high - low) * bin / bins;
      svg += rect(side + step * bin + 0.5, y, step - 1, tall, series_color(series[s].color),
                  "from " + number(from) + " " + unit + ": " + grouped(counts[s][b]));
    }
  }
  svg +=
      "<path class=\"axis\" d=\"M" + number(side) + " " + number(base + 0.5) + "h" + number(width) + "\"/>";
  for (int tick = 0; tick <= 4; ++tick) {
    const double x = side + width * tick / 4;
    svg += text_at(x, base + 13,
                   tick == 0   ? "start"
                   : tick == 4 ? "end"
                               : "middle",
                   "tick", number(low + (high - low) * tick / 4) + (tick == 4 ? " " + unit : ""));
  }
  if (!all.empty()) {
    const double median = quantile(all, 0.5);
    const double x = side + width * std::clamp((median - low) / (high - low), 0.0, 1.0);
    svg += "<path class=\"median\" d=\"M" + number(x) + " " + number(top) + "V" + number(base) + "\"/>";
    svg += text_at(side, base + 26, "start", "tick", "median " + rounded(median) + " " + unit);
  }
  return svg + "</svg>";
}

}  // namespace smearscope::corpus
