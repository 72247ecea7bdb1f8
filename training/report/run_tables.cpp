#include "report/run_tables.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <set>

#include "report/paper_figures.h"
#include "report/statistics.h"

namespace smearscope::training {
namespace {

using corpus::grouped;
using metrics::CocoFigures;
using metrics::no_figure;

const char* const none = "–";

std::string text_of(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string figure_text(double value) {
  return value == no_figure ? none : text_of("%.4f", value);
}

// As text_of, with a minus as wide as the plus.
std::string signed_text(const char* format, double value) {
  const std::string text = text_of(format, value);
  return text.front() == '-' ? "−" + text.substr(1) : text;
}

std::string change_text(double from, double to) {
  return from == no_figure || to == no_figure ? none : signed_text("%+.4f", to - from);
}

// A column for each run, and after each but the first one for the change.
void add_run_heads(const ReportData& data, std::vector<std::string>& head) {
  for (std::size_t r = 0; r < data.runs.size(); ++r) {
    head.push_back(data.runs[r].name);
    if (r > 0) head.push_back("change");
  }
}

void add_run_figures(const std::vector<double>& figures, std::vector<std::string>& row) {
  for (std::size_t r = 0; r < figures.size(); ++r) {
    row.push_back(figure_text(figures[r]));
    if (r > 0) row.push_back(change_text(figures[0], figures[r]));
  }
}

const metrics::Figures& figures_of(const Run& run, metrics::Labels labels) {
  return labels == metrics::Labels::as_told ? run.measured.as_told : run.measured.as_complete;
}

std::vector<double> class_figures(const ReportData& data, metrics::Labels labels, double CocoFigures::*figure,
                                  std::size_t category) {
  std::vector<double> figures;
  for (std::size_t r = 0; r < data.runs.size(); ++r) {
    const bool known = data.evaluated(r, category);
    figures.push_back(known ? figures_of(data.runs[r], labels).categories[category].coco.*figure : no_figure);
  }
  return figures;
}

std::string train_boxes_text(const ReportData& data, std::size_t category) {
  return data.train_boxes.empty() ? none : grouped(data.train_boxes[category]);
}

// By key, in the order in which they appear: the value in each run, `none` where it isn't set.
std::vector<std::pair<std::string, std::vector<std::string>>> settings_by_key(const ReportData& data) {
  std::vector<std::string> keys;
  std::map<std::string, std::vector<std::string>> values;
  for (std::size_t r = 0; r < data.runs.size(); ++r) {
    for (const Setting& setting : data.runs[r].settings) {
      const auto [place, is_new] = values.try_emplace(setting.key, data.runs.size(), none);
      if (is_new) keys.push_back(setting.key);
      place->second[r] = setting.value;
    }
  }
  std::vector<std::pair<std::string, std::vector<std::string>>> rows;
  for (const std::string& key : keys) rows.emplace_back(key, values[key]);
  return rows;
}

bool all_equal(const std::vector<std::string>& values) {
  return std::all_of(values.begin(), values.end(), [&](const std::string& v) { return v == values[0]; });
}

// Does the run's model know the same of the shown classes as that of the first run?
bool same_classes(const ReportData& data, std::size_t run) {
  const std::vector<std::size_t> classes = data.shown_classes();
  return std::all_of(classes.begin(), classes.end(),
                     [&](std::size_t c) { return data.evaluated(run, c) == data.evaluated(0, c); });
}

// Over how many classes the means of Table III are.
std::vector<std::string> class_counts(const ReportData& data, bool beside_paper) {
  std::vector<std::string> row{"classes in the mean"};
  const std::vector<std::size_t> classes = data.shown_classes();
  for (std::size_t r = 0; r < data.runs.size(); ++r) {
    row.push_back(std::to_string(
        std::count_if(classes.begin(), classes.end(), [&](std::size_t c) { return data.evaluated(r, c); })));
    if (r > 0) row.emplace_back();
  }
  const std::string of_paper = std::to_string(paper::class_scores.size());
  if (beside_paper) row.insert(row.end(), {of_paper, of_paper});
  return row;
}

}  // namespace

Table differing_settings(const ReportData& data) {
  Table table{{"setting"}, {}};
  for (const Run& run : data.runs) table.head.push_back(run.name);
  for (const auto& [key, values] : settings_by_key(data)) {
    if (all_equal(values)) continue;
    table.rows.push_back({key});
    table.rows.back().insert(table.rows.back().end(), values.begin(), values.end());
  }
  return table;
}

Table shared_settings(const ReportData& data) {
  Table table{{"setting", data.runs.size() > 1 ? "all runs" : data.runs[0].name}, {}};
  for (const auto& [key, values] : settings_by_key(data)) {
    if (all_equal(values)) table.rows.push_back({key, values[0]});
  }
  return table;
}

bool is_papers_task(const ReportData& data) {
  std::size_t common = 0;
  for (const std::size_t c : data.shown_classes())
    common += paper::class_score(data.class_name(c)) != nullptr;
  return 4 * common >= 3 * paper::class_scores.size();
}

Table figures_table(const ReportData& data, metrics::Labels labels) {
  Table table{{"metric"}, {}};
  add_run_heads(data, table.head);
  const bool beside_paper = is_papers_task(data);
  if (beside_paper) table.head.insert(table.head.end(), {"paper R1", "paper R2"});
  for (const metrics::CocoFigure& f : metrics::coco_figures()) {
    std::vector<std::string> row{f.title};
    std::vector<double> figures;
    for (const Run& run : data.runs) figures.push_back(figures_of(run, labels).coco.*f.value);
    add_run_figures(figures, row);
    for (std::size_t r = 1; r < data.runs.size(); ++r) {  // means over other classes are no change
      if (!same_classes(data, r)) row[2 * r + 1] = none;
    }
    const auto published = paper::figure(f.value);
    if (beside_paper) row.push_back(published ? figure_text(published->r1) : none);
    if (beside_paper) row.push_back(published ? figure_text(published->r2) : none);
    table.rows.push_back(row);
  }
  table.rows.push_back(class_counts(data, beside_paper));
  return table;
}

Table class_table(const ReportData& data, metrics::Labels labels, double CocoFigures::*figure) {
  Table table{{"class", "boxes to train", "boxes in " + data.part().name}, {}, true};
  add_run_heads(data, table.head);
  const std::vector<std::size_t> classes = data.shown_classes();
  const bool beside_paper =
      figure == &CocoFigures::ap && std::any_of(classes.begin(), classes.end(), [&](std::size_t c) {
        return paper::class_score(data.class_name(c)) != nullptr;
      });
  if (beside_paper) table.head.insert(table.head.end(), {"paper R1", "paper R2"});
  std::vector<double> sums(data.runs.size());
  paper::Pair paper_sums;
  std::size_t common = 0;
  for (const std::size_t c : classes) {
    std::vector<std::string> row{data.class_name(c), train_boxes_text(data, c), grouped(data.boxes(c))};
    const std::vector<double> figures = class_figures(data, labels, figure, c);
    add_run_figures(figures, row);
    const paper::ClassScore* published = paper::class_score(data.class_name(c));
    if (beside_paper) row.push_back(published ? figure_text(published->ap.r1) : none);
    if (beside_paper) row.push_back(published ? figure_text(published->ap.r2) : none);
    table.rows.push_back(row);
    if (std::count(figures.begin(), figures.end(), no_figure) > 0 || (beside_paper && !published)) continue;
    ++common;
    for (std::size_t r = 0; r < figures.size(); ++r) sums[r] += figures[r];
    if (published) paper_sums = {paper_sums.r1 + published->ap.r1, paper_sums.r2 + published->ap.r2};
  }
  const auto mean = [&](double sum) { return common > 0 ? sum / static_cast<double>(common) : no_figure; };
  std::vector<std::string> row{"mean of " + std::to_string(common) + " in all columns", "", ""};
  for (double& sum : sums) sum = mean(sum);
  add_run_figures(sums, row);
  if (beside_paper)
    row.insert(row.end(), {figure_text(mean(paper_sums.r1)), figure_text(mean(paper_sums.r2))});
  table.rows.push_back(row);
  return table;
}

Table rare_table(const ReportData& data) {
  Table table{{"class", "boxes to train", "boxes in " + data.part().name}, {}};
  for (const Run& run : data.runs) table.head.push_back(run.name + " AP50");
  table.head.insert(table.head.end(), {"paper's boxes", "paper R2"});
  for (const std::size_t c : data.shown_classes()) {
    const std::vector<double> ap50 = class_figures(data, metrics::Labels::as_told, &CocoFigures::ap50, c);
    const double best = *std::max_element(ap50.begin(), ap50.end());
    const paper::RareClass* published = paper::rare_class(data.class_name(c));
    if (!data.is_rare(c) && best >= 0.1 && published == nullptr) continue;
    std::vector<std::string> row{data.class_name(c), train_boxes_text(data, c), grouped(data.boxes(c))};
    for (const double value : ap50) row.push_back(figure_text(value));
    row.push_back(published ? grouped(published->boxes) : none);
    row.push_back(published ? figure_text(published->r2) : none);
    table.rows.push_back(row);
  }
  return table;
}

Table loss_table(const ReportData& data) {
  Table table{{"epoch"}, {}};
  std::set<std::size_t> shown;
  std::vector<std::vector<EpochLoss>> losses;
  for (const Run& run : data.runs) {
    table.head.insert(table.head.end(), {run.name + " training", "validation"});
    losses.push_back(epoch_losses(run.log));
    for (const EpochLoss& e : losses.back()) {
      if (e.epoch == 1 || e.epoch % 5 == 0 || e.epoch == losses.back().back().epoch) shown.insert(e.epoch);
    }
  }
  const bool beside_paper = is_papers_task(data);
  if (beside_paper) {
    table.head.insert(table.head.end(),
                      {"paper R1 training", "validation", "paper R2 training", "validation"});
    for (const paper::EpochLosses& e : paper::losses) shown.insert(e.epoch);
  }
  for (const std::size_t epoch : shown) {
    std::vector<std::string> row{std::to_string(epoch)};
    for (const auto& of_run : losses) {
      const auto found =
          std::find_if(of_run.begin(), of_run.end(), [&](const auto& e) { return e.epoch == epoch; });
      row.push_back(found == of_run.end() ? none : text_of("%.5f", found->training));
      row.push_back(found == of_run.end() || !found->validation ? none : text_of("%.5f", *found->validation));
    }
    if (beside_paper) {
      const auto found = std::find_if(paper::losses.begin(), paper::losses.end(),
                                      [&](const auto& e) { return e.epoch == epoch; });
      for (const auto which : {&paper::Pair::r1, &paper::Pair::r2}) {
        row.push_back(found == paper::losses.end() ? none : text_of("%.5f", found->training.*which));
        row.push_back(found == paper::losses.end() ? none : text_of("%.5f", found->validation.*which));
      }
    }
    table.rows.push_back(row);
  }
  return table;
}

Table counts_table(const ReportData& data) {
  Table table{{"class", "labelled"}, {}};
  for (const Run& run : data.runs)
    table.head.insert(table.head.end(), {run.name + " found", "off by", "an image"});
  for (const std::size_t c : data.shown_classes()) {
    std::vector<std::string> row{data.class_name(c),
                                 grouped(data.runs[0].told().categories[c].count_errors.truth)};
    for (std::size_t r = 0; r < data.runs.size(); ++r) {
      const metrics::CountErrors& errors = data.runs[r].told().categories[c].count_errors;
      const bool known = data.evaluated(r, c) && errors.images > 0;
      row.push_back(known ? grouped(errors.found) : none);
      row.push_back(known && errors.truth > 0 ? signed_text("%+.1f %%", 100 * errors.relative_error_of_total)
                                              : none);
      row.push_back(known ? text_of("±%.2f", errors.mean_absolute_error) : none);
    }
    table.rows.push_back(row);
  }
  return table;
}

Table thresholds_table(const ReportData& data) {
  Table table{{"class"}, {}};
  for (const Run& run : data.runs)
    table.head.insert(table.head.end(), {run.name + " error", "best F1", "at score"});
  for (const std::size_t c : data.shown_classes()) {
    std::vector<std::string> row{data.class_name(c)};
    for (std::size_t r = 0; r < data.runs.size(); ++r) {
      const metrics::CategoryFigures& figures = data.runs[r].told().categories[c];
      const bool known = data.evaluated(r, c);
      row.push_back(known ? figure_text(figures.calibration.expected_error()) : none);
      row.push_back(known ? figure_text(figures.best.f1) : none);
      row.push_back(known ? figure_text(figures.best.threshold) : none);
    }
    table.rows.push_back(row);
  }
  return table;
}

}  // namespace smearscope::training
