// Charts as SVG text, to stand inside an HTML page. Colours are colour-blind-safe (draw/palette.h).
#pragma once

#include <string>
#include <vector>

namespace smearscope::corpus {

// "#e69f00": the colour of the index-th of a series.
std::string series_color(std::size_t index);

// Bars to the right, one a row, stacked of `parts` in series colours, their sum behind them.
struct Bar {
  std::string name;
  std::vector<std::size_t> parts;
};
std::string bar_chart(const std::vector<Bar>& bars, const std::vector<std::string>& series);

// Stacked histogram over [low, high) in `bins` columns, values outside in the first or last. `unit` stands
// under the axis. The median of all values is marked.
struct Series {
  std::size_t color = 0;  // index of series_color
  const std::vector<float>* values = nullptr;
};
std::string histogram(const std::string& title, const std::vector<Series>& series, double low, double high,
                      int bins, const std::string& unit);

}  // namespace smearscope::corpus
