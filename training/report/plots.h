// The kinds of charts in a report, from plain numbers.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "report/drawing.h"

namespace smearscope::training {

struct Axis {
  double low = 0, high = 1;  // low < high
  std::string title;
};

// A line through points in the axes' units, cut at the edges of the plot.
struct Curve {
  std::string name;  // in the legend; "": not there
  std::vector<Point> points;
  Color color = ink;
  double width = 1.8;
  double dash = 0;
  bool marked = false;  // with a disc on each point
};

// One plot with a legend over it.
Drawing line_chart(const std::string& title, const Axis& x, const Axis& y, const std::vector<Curve>& curves);

// Several small plots with the same axes, rows of `columns`; one legend for all, with
// each name once.
struct Panel {
  std::string title, note;  // over the plot, left and right
  std::vector<Curve> curves;
};
Drawing plot_grid(const std::string& title, const Axis& x, const Axis& y, const std::vector<Panel>& panels,
                  std::size_t columns);

// A row for each name, in it a disc for each series that has a value there. Values beyond the axis are at its
// edge, as arrows.
struct DotSeries {
  std::string name;
  Color color = ink;
  bool hollow = false;         // rings, around the discs of others
  std::vector<double> values;  // a row each; NaN: none
};
Drawing dot_chart(const std::string& title, const std::vector<std::string>& rows, const Axis& x,
                  const std::vector<DotSeries>& series);

// Counts in cells, row by row, shaded by their share of their row. Zeros are left blank; where row and
// column have the same name there is a frame.
struct HeatMap {
  std::string title, row_title, column_title;
  std::vector<std::string> row_names, column_names;
  std::vector<std::vector<std::size_t>> counts;  // [row][column]
};
Drawing heat_map(const HeatMap& map);

// Places for about `wanted` ticks, at round numbers inside the axis.
std::vector<double> ticks(const Axis& axis, std::size_t wanted);

}  // namespace smearscope::training
