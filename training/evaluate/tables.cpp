#include "evaluate/tables.h"

#include <algorithm>
#include <cstdio>
#include <numeric>

#include "report/tables.h"

namespace smearscope::training {
namespace {

using namespace metrics;
using corpus::Table;

std::string text_of(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string figure(double value) {
  return value == no_figure ? "-" : text_of("%.4f", value);
}

// Classes with figures to show, most boxes first; those without boxes only where something was found.
std::vector<std::size_t> by_support(const Measured& m) {
  const std::vector<Category>& categories = m.part->data.categories;
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < categories.size(); ++i) {
    const CategoryFigures& figures = m.as_complete.categories[i];
    if (categories[i].evaluated && (figures.boxes > 0 || figures.found > 0)) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return m.as_complete.categories[a].boxes > m.as_complete.categories[b].boxes;
  });
  return order;
}

}  // namespace

bool Measured::labels_matter() const {
  const auto differ = [](const CocoFigures& a, const CocoFigures& b) {
    return std::any_of(coco_figures().begin(), coco_figures().end(),
                       [&](const CocoFigure& f) { return a.*f.value != b.*f.value; });
  };
  for (std::size_t i = 0; i < as_complete.categories.size(); ++i) {
    if (differ(as_complete.categories[i].coco, as_told.categories[i].coco)) return true;
  }
  return differ(as_complete.coco, as_told.coco);
}

std::string summary_table(const Measured& m) {
  const bool both = m.labels_matter();
  Table table{{"metric", "COCO"}, {}};
  if (both) table.head.push_back("federated");
  for (const CocoFigure& f : coco_figures()) {
    table.rows.push_back({f.title, figure(m.as_complete.coco.*f.value)});
    if (both) table.rows.back().push_back(figure(m.as_told.coco.*f.value));
  }
  return plain_text(table);
}

std::string classes_table(const Measured& m) {
  const bool both = m.labels_matter();
  Table table{{"class", "images", "boxes", "mAP", "mAP@.50", "mAP@.75", "mAR"}, {}};
  if (both) table.head.insert(table.head.end(), {"fed. mAP", "fed. @.50"});
  table.head.insert(table.head.end(), {"best F1", "at score", "count", "off by"});
  for (const std::size_t i : by_support(m)) {
    const CategoryFigures &complete = m.as_complete.categories[i], &told = m.as_told.categories[i];
    std::vector<std::string> row{m.part->data.categories[i].name, std::to_string(complete.images),
                                 std::to_string(complete.boxes),  figure(complete.coco.ap),
                                 figure(complete.coco.ap50),      figure(complete.coco.ap75),
                                 figure(complete.coco.ar100)};
    if (both) row.insert(row.end(), {figure(told.coco.ap), figure(told.coco.ap50)});
    const CountErrors& counts = complete.count_errors;
    row.insert(row.end(),
               {figure(complete.best.f1), figure(complete.best.threshold), std::to_string(counts.found),
                counts.truth > 0 ? text_of("%+.1f %%", 100 * counts.relative_error_of_total) : "-"});
    table.rows.push_back(row);
  }
  return plain_text(table);
}

std::string mistakes_table(const Measured& m) {
  constexpr std::size_t shown = 8;
  struct Mistake {
    std::size_t truth, found, count;
  };
  const Confusion& confusion = m.as_complete.confusion;
  std::vector<Mistake> mistakes;
  for (std::size_t truth = 0; truth <= confusion.background(); ++truth) {
    for (std::size_t found = 0; found <= confusion.background(); ++found) {
      const std::size_t count = confusion.count(truth, found);
      if (truth != found && count > 0) mistakes.push_back({truth, found, count});
    }
  }
  if (mistakes.empty()) return "";
  std::stable_sort(mistakes.begin(), mistakes.end(),
                   [](const Mistake& a, const Mistake& b) { return a.count > b.count; });
  const auto name = [&](std::size_t category, const char* nothing) {
    return category == confusion.background() ? nothing : m.part->data.categories[category].name;
  };
  Table table{{"truth", "found", "cells"}, {}};
  for (std::size_t i = 0; i < std::min(shown, mistakes.size()); ++i) {
    table.rows.push_back({name(mistakes[i].truth, "(nothing)"), name(mistakes[i].found, "(missed)"),
                          std::to_string(mistakes[i].count)});
  }
  return plain_text(table);
}

}  // namespace smearscope::training
