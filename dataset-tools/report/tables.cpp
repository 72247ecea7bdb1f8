#include "report/tables.h"

#include <algorithm>
#include <cstdio>
#include <set>

namespace smearscope::corpus {
namespace {

// Number of characters, not bytes, of UTF-8.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](unsigned char c) { return (c & 0xC0) != 0x80; }));
}

std::string decimal(double value, const char* format) {
  char text[32];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::size_t at(const std::map<std::string, std::size_t>& counts, const std::string& key) {
  const auto found = counts.find(key);
  return found == counts.end() ? 0 : found->second;
}

// The sources, and after them all together if there are several.
std::vector<const SourceStatistics*> rows_of(const Statistics& statistics) {
  std::vector<const SourceStatistics*> rows;
  for (const SourceStatistics& source : statistics.sources) rows.push_back(&source);
  if (rows.size() > 1) rows.push_back(&statistics.total);
  return rows;
}

}  // namespace

Table sources_table(const Statistics& statistics) {
  Table table{{"source", "images", "boxes", "classes", "share of boxes"}, {}, statistics.sources.size() > 1};
  for (const SourceStatistics* s : rows_of(statistics)) {
    table.rows.push_back({s->name, grouped(s->images), grouped(s->boxes), grouped(s->classes),
                          percent(s->boxes, statistics.total.boxes)});
  }
  return table;
}

Table classes_table(const Statistics& statistics) {
  Table table{{"class"}, {}, true};
  const auto sources = rows_of(statistics);
  const bool split = statistics.parts.size() > 1;
  for (const SourceStatistics* s : sources) table.head.push_back(s->name);
  if (split) {
    for (const PartStatistics& part : statistics.parts) table.head.push_back("in " + part.name);
  }
  for (std::size_t i = 0; i < statistics.classes.size(); ++i) {
    if (statistics.total.per_class[i].boxes == 0) continue;
    std::vector<std::string> row{statistics.classes[i].name};
    for (const SourceStatistics* s : sources) row.push_back(grouped(s->per_class[i].boxes));
    if (split) {
      for (const PartStatistics& part : statistics.parts) row.push_back(grouped(part.class_boxes[i]));
    }
    table.rows.push_back(row);
  }
  std::vector<std::string> sum{"boxes"};
  for (const SourceStatistics* s : sources) sum.push_back(grouped(s->boxes));
  if (split) {
    for (const PartStatistics& part : statistics.parts) sum.push_back(grouped(part.boxes));
  }
  table.rows.push_back(sum);
  return table;
}

Table origins_table(const Statistics& statistics) {
  Table table{
      {"source", "drawn by people", "segmented", "of usual size", "images without boxes", "ignore regions"},
      {},
      statistics.sources.size() > 1};
  for (const SourceStatistics* s : rows_of(statistics)) {
    table.rows.push_back({s->name, grouped(s->by_origin[0]), grouped(s->by_origin[1]),
                          grouped(s->by_origin[2]), grouped(s->images_without_boxes),
                          grouped(s->ignore_regions)});
  }
  return table;
}

Table pixel_sizes_table(const Statistics& statistics) {
  Table table{{"source", "images with a scale", "median µm/px", "5th to 95th percentile", "commonest size"},
              {},
              false};
  for (const SourceStatistics& s : statistics.sources) {
    const auto common = std::max_element(s.sizes.begin(), s.sizes.end(),
                                         [](const auto& a, const auto& b) { return a.second < b.second; });
    const bool known = !s.pixel_sizes.empty();
    table.rows.push_back(
        {s.name, grouped(s.pixel_sizes.size()) + " of " + grouped(s.images),
         known ? decimal(quantile(s.pixel_sizes, 0.5), "%.4f") : "-",
         known ? decimal(quantile(s.pixel_sizes, 0.05), "%.4f") + " to " +
                     decimal(quantile(s.pixel_sizes, 0.95), "%.4f")
               : "-",
         common == s.sizes.end() ? "-" : common->first + " (" + percent(common->second, s.images) + ")"});
  }
  return table;
}

Table changes_table(const Statistics& statistics) {
  Table table{{"what was done"}, {}, false};
  const auto sources = rows_of(statistics);
  for (const SourceStatistics* s : sources) table.head.push_back(s->name);
  const auto add = [&](const std::map<std::string, std::size_t> SourceStatistics::*counts,
                       const char* prefix) {
    for (const auto& [rule, count] : statistics.total.*counts) {
      std::vector<std::string> row{prefix + rule};
      for (const SourceStatistics* s : sources) row.push_back(grouped(at(s->*counts, rule)));
      table.rows.push_back(row);
    }
  };
  add(&SourceStatistics::left_out, "file left out: ");
  add(&SourceStatistics::changes, "");
  return table;
}

std::string plain_text(const Table& table) {
  std::vector<std::size_t> widths(table.head.size());
  const auto measure = [&](const std::vector<std::string>& row) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  };
  measure(table.head);
  for (const auto& row : table.rows) measure(row);
  std::string text;
  const auto line = [&](const std::vector<std::string>& row) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string gap(widths[i] - width_of(row[i]), ' ');
      text += i == 0 ? row[i] + gap : "  " + gap + row[i];
    }
    text += '\n';
  };
  line(table.head);
  std::size_t whole = 0;
  for (const std::size_t width : widths) whole += width + 2;
  const std::string rule = std::string(whole - 2, '-') + '\n';
  text += rule;
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    if (table.sum_row && i + 1 == table.rows.size()) text += rule;
    line(table.rows[i]);
  }
  return text;
}

}  // namespace smearscope::corpus
