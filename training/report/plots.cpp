#include "report/plots.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "report/plot_area.h"

namespace smearscope::training {
namespace {

constexpr double page_width = 1000;

double widest(const std::vector<std::string>& texts, double size) {
  double width = 0;
  for (const std::string& text : texts) width = std::max(width, text_width(text, size));
  return width;
}

std::vector<Curve> legend_of(const std::vector<Panel>& panels) {
  std::vector<Curve> legend;
  for (const Panel& panel : panels) {
    for (const Curve& curve : panel.curves) {
      const auto same = [&](const Curve& other) { return other.name == curve.name; };
      if (std::none_of(legend.begin(), legend.end(), same)) legend.push_back(curve);
    }
  }
  return legend;
}

Path arrow(Point at, double tip, Color color) {
  return {{{at.x + tip, at.y}, {at.x - tip, at.y - 5}, {at.x - tip, at.y + 5}}, color, 1, 1, 0, true};
}

// Where the cells of a heat map are.
struct HeatCells {
  Point corner;
  double width, height;  // of one

  Point at(std::size_t row, std::size_t column) const {
    return {corner.x + width * static_cast<double>(column), corner.y + height * static_cast<double>(row)};
  }
};

void draw_row(Drawing& drawing, const HeatMap& map, std::size_t row, const HeatCells& cells) {
  constexpr Color nothing{0xf6, 0xf6, 0xf9};
  const std::vector<std::size_t>& counts = map.counts[row];
  const auto sum = static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::size_t{0}));
  const double middle = cells.at(row, 0).y + cells.height / 2;
  drawing.shapes.emplace_back(Label{{cells.corner.x - 6, middle + 4}, map.row_names[row], Anchor::end, 11});
  for (std::size_t c = 0; c < counts.size(); ++c) {
    const Point corner = cells.at(row, c);
    const double share = counts[c] > 0 ? static_cast<double>(counts[c]) / sum : 0;
    if (map.row_names[row] == map.column_names[c])  // the frame of what is right
      drawing.rectangle(corner, cells.width, cells.height, ink);
    drawing.rectangle({corner.x + 1, corner.y + 1}, cells.width - 2, cells.height - 2,
                      counts[c] > 0 ? shade(0.06 + 0.94 * share) : nothing);
    if (counts[c] == 0) continue;
    const std::string text = std::to_string(counts[c]);
    const double size = std::min(10.5, (cells.width - 4) / text_width(text, 1));
    drawing.shapes.emplace_back(Label{{corner.x + cells.width / 2, middle + 0.36 * size},
                                      text,
                                      Anchor::middle,
                                      size,
                                      share > 0.45 ? draw::white : ink});
  }
}

}  // namespace

Drawing line_chart(const std::string& title, const Axis& x, const Axis& y, const std::vector<Curve>& curves) {
  constexpr double left = 64, right = 16, plot_height = 300, bottom = 48;
  Drawing drawing;
  drawing.title = title;
  drawing.width = 760;
  const double top = 10 + draw_legend(drawing, {left, 2}, drawing.width - right, curves);
  PlotArea area(drawing, {left, top}, drawing.width - left - right, plot_height, x, y);
  area.frame(8, 6, 11);
  for (const Curve& curve : curves) area.curve(curve);
  drawing.height = top + plot_height + bottom;
  return drawing;
}

Drawing plot_grid(const std::string& title, const Axis& x, const Axis& y, const std::vector<Panel>& panels,
                  std::size_t columns) {
  constexpr double left = 34, gap = 14, head = 20, foot = 22, margin = 16;
  Drawing drawing;
  drawing.title = title;
  drawing.width = page_width;
  const double top = 6 + draw_legend(drawing, {margin + left, 2}, page_width, legend_of(panels));
  const double width = (page_width - margin) / static_cast<double>(columns) - left - gap;
  const double height = std::min(0.82 * width, 260.0);
  Axis plain_x = x, plain_y = y;
  plain_x.title = plain_y.title = "";
  for (std::size_t i = 0; i < panels.size(); ++i) {
    const Point corner{margin + static_cast<double>(i % columns) * (width + left + gap) + left,
                       top + static_cast<double>(i / columns) * (height + head + foot) + head};
    const Panel& panel = panels[i];
    const double room = width - text_width(panel.note, 10) - 6;
    const double size = std::min(12.0, room / std::max(1.0, text_width(panel.title, 1.08)));
    drawing.shapes.emplace_back(Label{{corner.x, corner.y - 6}, panel.title, Anchor::start, size, ink, true});
    drawing.shapes.emplace_back(
        Label{{corner.x + width, corner.y - 6}, panel.note, Anchor::end, 10, grey_ink});
    PlotArea area(drawing, corner, width, height, plain_x, plain_y);
    area.frame(4, 4, 10);
    for (const Curve& curve : panel.curves) area.curve(curve);
  }
  const std::size_t rows = (panels.size() + columns - 1) / columns;
  drawing.height = top + static_cast<double>(rows) * (height + head + foot) + 20;
  drawing.shapes.emplace_back(Label{{page_width / 2, drawing.height - 6}, x.title, Anchor::middle, 12});
  Label vertical{{12, (top + drawing.height) / 2}, y.title, Anchor::middle, 12};
  vertical.upwards = true;
  drawing.shapes.emplace_back(std::move(vertical));
  return drawing;
}

Drawing dot_chart(const std::string& title, const std::vector<std::string>& rows, const Axis& x,
                  const std::vector<DotSeries>& series) {
  constexpr double right = 24, row = 20, bottom = 46;
  Drawing drawing;
  drawing.title = title;
  drawing.width = 760;
  const double left = std::min(widest(rows, 12), 260.0) + 14;
  std::vector<Curve> legend;
  for (const DotSeries& s : series) {
    Curve entry{s.name, {}, s.color, 0, s.hollow ? 1.0 : 0.0, true};
    legend.push_back(entry);
  }
  const double top = 8 + draw_legend(drawing, {left, 2}, drawing.width - right, legend);
  const double height = row * static_cast<double>(rows.size());
  PlotArea area(drawing, {left, top}, drawing.width - left - right, height, x, {0, 1, ""});
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double y = top + row * (static_cast<double>(i) + 0.5);
    drawing.line({left, y}, {drawing.width - right, y}, grid_grey);
    drawing.shapes.emplace_back(Label{{left - 8, y + 4.3}, rows[i], Anchor::end, 12});
  }
  area.frame(8, 0, 11);
  if (x.low < 0 && x.high > 0) drawing.line(area.at({0, 0}), area.at({0, 1}), grey_ink);
  for (const DotSeries& s : series) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const double y = top + row * (static_cast<double>(i) + 0.5);
      const double value = std::clamp(s.values[i], x.low, x.high);  // NaN stays NaN
      if (value == s.values[i])
        drawing.shapes.emplace_back(
            Disc{{area.at({value, 0}).x, y}, s.hollow ? 6.5 : 4.2, s.color, s.hollow});
      if (s.values[i] > x.high) drawing.shapes.emplace_back(arrow({area.at({x.high, 0}).x, y}, 6, s.color));
      if (s.values[i] < x.low) drawing.shapes.emplace_back(arrow({area.at({x.low, 0}).x, y}, -6, s.color));
    }
  }
  drawing.height = top + height + bottom;
  return drawing;
}

Drawing heat_map(const HeatMap& map) {
  const auto columns = static_cast<double>(map.column_names.size());
  const auto rows = static_cast<double>(map.row_names.size());
  const double left = widest(map.row_names, 11) + 30, top = widest(map.column_names, 11) + 30;
  const double width = std::clamp((page_width - left - 8) / std::max(1.0, columns), 18.0, 46.0);
  const HeatCells cells{{left, top}, width, std::min(width, 24.0)};
  Drawing drawing;
  drawing.title = map.title;
  drawing.width = left + cells.width * columns + 8;
  drawing.height = top + cells.height * rows + 8;
  drawing.shapes.emplace_back(
      Label{{left + cells.width * columns / 2, 14}, map.column_title, Anchor::middle, 12, ink, true});
  Label side{{14, top + cells.height * rows / 2}, map.row_title, Anchor::middle, 12, ink, true};
  side.upwards = true;
  drawing.shapes.emplace_back(std::move(side));
  for (std::size_t c = 0; c < map.column_names.size(); ++c) {
    Label name{{cells.at(0, c).x + cells.width / 2 + 4, top - 6}, map.column_names[c], Anchor::start, 11};
    name.upwards = true;
    drawing.shapes.emplace_back(std::move(name));
  }
  for (std::size_t r = 0; r < map.row_names.size(); ++r) draw_row(drawing, map, r, cells);
  return drawing;
}

}  // namespace smearscope::training
