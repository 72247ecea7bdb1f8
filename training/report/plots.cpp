#include "report/plots.h"

#include <algorithm>
#include <cmath>

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
    drawing.shapes.emplace_back(Label{{corner.x, corner.y - 6}, panel.title, Anchor::start, 12, ink, true});
    drawing.shapes.emplace_back(
        Label{{corner.x + width, corner.y - 6}, panel.note, Anchor::end, 11, grey_ink});
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
      if (std::isnan(s.values[i])) continue;
      const double value = std::clamp(s.values[i], x.low, x.high);
      const Point at{area.at({value, 0}).x, top + row * (static_cast<double>(i) + 0.5)};
      if (value == s.values[i]) {
        drawing.shapes.emplace_back(Disc{at, 4.2, s.color, s.hollow});
        continue;
      }
      const double tip = value == x.high ? 6 : -6;
      drawing.shapes.emplace_back(
          Path{{{at.x + tip, at.y}, {at.x - tip, at.y - 5}, {at.x - tip, at.y + 5}}, s.color, 1, 1, 0, true});
    }
  }
  drawing.height = top + height + bottom;
  return drawing;
}

Drawing heat_map(const HeatMap& map) {
  const double columns = static_cast<double>(map.column_names.size());
  const double rows = static_cast<double>(map.row_names.size());
  const double left = widest(map.row_names, 11) + 30, top = widest(map.column_names, 11) + 30;
  const double cell = std::clamp((page_width - left - 8) / std::max(1.0, columns), 18.0, 46.0);
  const double height = std::min(cell, 24.0);
  Drawing drawing;
  drawing.title = map.title;
  drawing.width = left + cell * columns + 8;
  drawing.height = top + height * rows + 8;
  drawing.shapes.emplace_back(
      Label{{left + cell * columns / 2, 14}, map.column_title, Anchor::middle, 12, ink, true});
  Label side{{14, top + height * rows / 2}, map.row_title, Anchor::middle, 12, ink, true};
  side.upwards = true;
  drawing.shapes.emplace_back(std::move(side));
  for (std::size_t c = 0; c < map.column_names.size(); ++c) {
    Label name{
        {left + cell * (static_cast<double>(c) + 0.5) + 4, top - 6}, map.column_names[c], Anchor::start, 11};
    name.upwards = true;
    drawing.shapes.emplace_back(std::move(name));
  }
  for (std::size_t r = 0; r < map.row_names.size(); ++r) {
    const double y = top + height * static_cast<double>(r);
    drawing.shapes.emplace_back(Label{{left - 6, y + height / 2 + 4}, map.row_names[r], Anchor::end, 11});
    std::size_t sum = 0;
    for (const std::size_t count : map.counts[r]) sum += count;
    for (std::size_t c = 0; c < map.column_names.size(); ++c) {
      const std::size_t count = map.counts[r][c];
      const double x = left + cell * static_cast<double>(c);
      const double share = sum > 0 ? static_cast<double>(count) / static_cast<double>(sum) : 0;
      drawing.rectangle({x + 0.5, y + 0.5}, cell - 1, height - 1,
                        count > 0 ? shade(0.06 + 0.94 * share) : Color{0xf6, 0xf6, 0xf9});
      if (count == 0) continue;
      const std::string text = std::to_string(count);
      const double size = std::min(10.5, (cell - 3) / text_width(text, 1));
      drawing.shapes.emplace_back(Label{{x + cell / 2, y + height / 2 + 0.36 * size},
                                        text,
                                        Anchor::middle,
                                        size,
                                        share > 0.45 ? draw::white : ink});
    }
  }
  return drawing;
}

}  // namespace smearscope::training
