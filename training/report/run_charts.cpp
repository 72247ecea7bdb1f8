#include "report/run_charts.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "report/paper_figures.h"
#include "report/plots.h"

namespace smearscope::training {
namespace {

using metrics::PrecisionRecall;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

std::string two_decimals(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", value);
  return text;
}

// About `wanted` points: means over rows that follow each other.
std::vector<Point> thinned(const std::vector<LogRow>& log, std::size_t wanted) {
  const std::size_t group = (log.size() + wanted - 1) / wanted;
  std::vector<Point> points;
  for (std::size_t begin = 0; begin < log.size(); begin += group) {
    const std::size_t end = std::min(log.size(), begin + group);
    Point mean;
    for (std::size_t i = begin; i < end; ++i) {
      mean.x += static_cast<double>(log[i].step) / static_cast<double>(end - begin);
      mean.y += log[i].loss / static_cast<double>(end - begin);
    }
    points.push_back(mean);
  }
  return points;
}

std::vector<Point> validation_points(const std::vector<LogRow>& log) {
  std::vector<Point> points;
  for (const LogRow& row : log) {
    if (row.validation) points.push_back({static_cast<double>(row.step), *row.validation});
  }
  return points;
}

// The highest value that is no outlier: the first losses of a run would press all others together.
double usual_top(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(0.98 * static_cast<double>(values.size() - 1))] * 1.15;
}

Curve recall_curve(const PrecisionRecall& figures, std::string name, Color color, double dash) {
  Curve curve{std::move(name), {}, color};
  curve.dash = dash;
  for (std::size_t i = 0; i < metrics::recall_levels().size(); ++i)
    curve.points.push_back({metrics::recall_levels()[i], figures.precision[i]});
  return curve;
}

PrecisionRecall mean_of_classes(const ReportData& data, std::size_t run,
                                PrecisionRecall metrics::CategoryFigures::*which) {
  PrecisionRecall mean;
  std::size_t classes = 0;
  for (const std::size_t c : data.shown_classes()) classes += data.evaluated(run, c);
  for (const std::size_t c : data.shown_classes()) {
    if (!data.evaluated(run, c)) continue;
    const PrecisionRecall& of_class = data.runs[run].told().categories[c].*which;
    for (std::size_t i = 0; i < mean.precision.size(); ++i)
      mean.precision[i] += of_class.precision[i] / static_cast<double>(classes);
  }
  return mean;
}

std::vector<std::string> names_of(const ReportData& data, const std::vector<std::size_t>& classes) {
  std::vector<std::string> names;
  for (const std::size_t c : classes) names.push_back(data.class_name(c));
  return names;
}

}  // namespace

Drawing loss_chart(const ReportData& data) {
  std::vector<Curve> curves;
  std::vector<double> values;
  double last_step = 1;
  for (std::size_t r = 0; r < data.runs.size(); ++r) {
    const Run& run = data.runs[r];
    if (run.log.empty()) continue;
    Curve training{run.name + ", training", thinned(run.log, 150), run_color(r)};
    Curve validation{run.name + ", validation", validation_points(run.log), run_color(r), 1.6, 5, true};
    for (const Curve* curve : {&training, &validation}) {
      for (const Point& p : curve->points) values.push_back(p.y);
    }
    last_step = std::max(last_step, static_cast<double>(run.log.back().step));
    curves.push_back(training);
    if (!validation.points.empty()) curves.push_back(validation);
  }
  return line_chart("Training and validation loss", {0, last_step, "step"},
                    {0, std::max(1e-6, usual_top(values)), "loss, sum of four"}, curves);
}

Drawing class_chart(const ReportData& data) {
  const std::vector<std::size_t> classes = data.shown_classes();
  std::vector<DotSeries> series;
  DotSeries published{"paper R2", ink, true, {}};
  bool any = false;
  for (const std::size_t c : classes) {
    const paper::ClassScore* score = paper::class_score(data.class_name(c));
    any = any || score != nullptr;
    published.values.push_back(score ? score->ap.r2 : nan);
  }
  if (any) series.push_back(published);
  for (std::size_t r = 0; r < data.runs.size(); ++r) {
    DotSeries of_run{data.runs[r].name, run_color(r), false, {}};
    for (const std::size_t c : classes) {
      const double ap = data.runs[r].told().categories[c].coco.ap;
      of_run.values.push_back(data.evaluated(r, c) && ap != metrics::no_figure ? ap : nan);
    }
    series.push_back(of_run);
  }
  return dot_chart("AP of each class", names_of(data, classes), {0, 1, "AP (IoU .50:.95)"}, series);
}

Drawing mean_precision_recall(const ReportData& data) {
  std::vector<Curve> curves;
  for (std::size_t r = 0; r < data.runs.size(); ++r) {
    const std::string& name = data.runs[r].name;
    curves.push_back(recall_curve(mean_of_classes(data, r, &metrics::CategoryFigures::at_50),
                                  name + ", IoU .5", run_color(r), 0));
    curves.push_back(recall_curve(mean_of_classes(data, r, &metrics::CategoryFigures::at_75),
                                  name + ", IoU .75", run_color(r), 5));
  }
  return line_chart("Precision over recall, mean of the classes", {0, 1, "recall"}, {0, 1, "precision"},
                    curves);
}

Drawing class_precision_recall(const ReportData& data) {
  std::vector<Panel> panels;
  for (const std::size_t c : data.shown_classes()) {
    Panel panel{data.class_name(c), std::to_string(data.boxes(c)), {}};
    for (std::size_t r = 0; r < data.runs.size(); ++r) {
      if (data.evaluated(r, c))
        panel.curves.push_back(
            recall_curve(data.runs[r].told().categories[c].at_50, data.runs[r].name, run_color(r), 0));
    }
    panels.push_back(std::move(panel));
  }
  return plot_grid("Precision over recall of each class, IoU .5", {0, 1, "recall"}, {0, 1, "precision"},
                   panels, 5);
}

Drawing confusion_chart(const ReportData& data, std::size_t run) {
  const metrics::Confusion& confusion = data.runs[run].told().confusion;
  std::vector<std::size_t> shown;
  for (std::size_t i = 0; i <= confusion.background(); ++i) {
    std::size_t count = i == confusion.background() ? 1 : 0;
    for (std::size_t j = 0; j <= confusion.background(); ++j) {
      count += confusion.count(i, j) + confusion.count(j, i);
    }
    if (count > 0) shown.push_back(i);
  }
  const auto name = [&](std::size_t i, const char* background) {
    return i == confusion.background() ? background : data.class_name(i);
  };
  HeatMap map{"Confusion matrix of " + data.runs[run].name, "labelled", "found", {}, {}, {}};
  for (const std::size_t c : shown) map.column_names.push_back(name(c, "missed"));
  for (const std::size_t r : shown) {
    map.row_names.push_back(name(r, "nothing there"));
    map.counts.emplace_back();
    for (const std::size_t c : shown) map.counts.back().push_back(confusion.count(r, c));
  }
  return heat_map(map);
}

Drawing counts_chart(const ReportData& data) {
  const std::vector<std::size_t> classes = data.shown_classes();
  std::vector<DotSeries> series;
  for (std::size_t r = 0; r < data.runs.size(); ++r) {
    DotSeries of_run{data.runs[r].name, run_color(r), false, {}};
    for (const std::size_t c : classes) {
      const metrics::CountErrors& errors = data.runs[r].told().categories[c].count_errors;
      const bool known = data.evaluated(r, c) && errors.truth > 0;
      of_run.values.push_back(known ? 100 * errors.relative_error_of_total : nan);
    }
    series.push_back(of_run);
  }
  return dot_chart("Error of the count of each class", names_of(data, classes),
                   {-100, 100, "cells found too few or too many, % of those labelled"}, series);
}

Drawing calibration_chart(const ReportData& data) {
  std::vector<Panel> panels;
  for (std::size_t r = 0; r < data.runs.size(); ++r) {
    const metrics::Calibration& calibration = data.runs[r].told().calibration;
    Panel panel{data.runs[r].name, "", {}};
    if (calibration.found() > 0) panel.note = "error " + two_decimals(calibration.expected_error());
    panel.curves.push_back({"right as often as said", {{0, 0}, {1, 1}}, grey_ink, 1.2, 4});
    Curve curve{"detections", {}, run_color(0), 1.8, 0, true};
    for (const auto& bin : calibration.bins) {
      if (bin.found > 0) curve.points.push_back({bin.mean_score(), bin.precision()});
    }
    panel.curves.push_back(curve);
    panels.push_back(panel);
  }
  return plot_grid("Calibration", {0, 1, "score"}, {0, 1, "share that is right"}, panels, 3);
}

}  // namespace smearscope::training
