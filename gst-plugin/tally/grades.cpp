#include "tally/grades.h"

#include <algorithm>
#include <filesystem>
#include <functional>

#include "small_file.h"
#include "smearscope/error.h"
#include "tally/families.h"
#include "toml/parse_toml.h"

namespace smearscope {
namespace {

using Step = GradeTable::Step;
using Kind = GradeTable::Kind;

constexpr std::size_t longest_grade = 16;           // bytes: it stands in the overlay's panel
constexpr std::int64_t most_least_cells = 1000000;  // as many as celltally keeps

// No control characters, and none that turn what stands around them.
bool is_printable(const std::string& utf8) {
  for (const gchar* at = utf8.c_str(); *at; at = g_utf8_next_char(at)) {
    if (!g_unichar_isprint(g_utf8_get_char(at))) return false;
  }
  return true;
}

class Reader {
 public:
  explicit Reader(const std::string& path) : path_(path) {}

  std::map<std::string, Kind> read() const {
    // A pipe that nobody writes to would hold up the start for ever.
    std::error_code ignored;
    if (std::filesystem::exists(path_, ignored) && !std::filesystem::is_regular_file(path_, ignored))
      throw Error(place() + ": cannot be read: it is no file");
    const toml::table document = parse_toml(read_small_file("grade-table", path_), place());
    std::map<std::string, Kind> kinds;
    for (const auto& [name, node] : document) {
      if (!node.is_table()) fail(node.source(), "here only tables of classes are known, as [schistocyte]");
      kinds.emplace(name.str(), kind_of(*node.as_table()));
    }
    if (kinds.empty()) throw Error(place() + ": has no class, as [schistocyte]");
    return kinds;
  }

 private:
  std::string place() const { return "grade-table: " + path_; }

  [[noreturn]] void fail(const toml::source_region& where, std::string_view what) const {
    throw Error(place() + ": line " + std::to_string(where.begin.line) + ": " + std::string(what));
  }

  Kind kind_of(const toml::table& entry) const {
    Kind kind;
    for (const auto& [key, node] : entry) {
      if (key == "grades") {
        kind.steps = steps_of(node);
      } else if (key == "least_cells") {
        const auto cells = node.value_exact<std::int64_t>();
        if (!cells || *cells < 1 || *cells > most_least_cells)
          fail(node.source(), "least_cells is no whole number from 1 to 1000000");
        kind.least_cells = static_cast<guint64>(*cells);
      } else {
        fail(node.source(), "a class has grades and least_cells, and nothing else");
      }
    }
    if (kind.steps.empty()) fail(entry.source(), "a class needs grades, as { few = 0, many = 2.5 }");
    return kind;
  }

  std::vector<Step> steps_of(const toml::node& node) const {
    if (!node.is_table()) fail(node.source(), "grades is no table, as { few = 0, many = 2.5 }");
    std::vector<Step> steps;
    for (const auto& [name, share] : *node.as_table()) {
      const std::string grade(name.str());
      if (grade.empty() || grade.size() > longest_grade || !is_printable(grade))
        fail(share.source(), "a grade's name has 1 to 16 bytes that can be printed");
      const auto percent = share.value<double>();
      if (!percent || !(*percent >= 0 && *percent <= 100))  // nor NaN
        fail(share.source(), "a grade's share is no percentage from 0 to 100");
      steps.push_back({*percent, grade});
    }
    const auto below = [](const Step& a, const Step& b) { return a.percent < b.percent; };
    std::sort(steps.begin(), steps.end(), below);
    if (std::adjacent_find(steps.begin(), steps.end(), std::not_fn(below)) != steps.end())
      fail(node.source(), "two grades have the same share");
    return steps;
  }

  const std::string path_;
};

std::string grade_of(guint64 count, guint64 whole, const Kind& kind) {
  if (count == 0 || whole < kind.least_cells) return "";
  const double percent = 100.0 * static_cast<double>(count) / static_cast<double>(whole);
  std::string grade;
  for (const Step& step : kind.steps) {
    if (percent >= step.percent) grade = step.grade;
  }
  return grade;
}

}  // namespace

GradeTable GradeTable::read(const std::string& path) {
  GradeTable table;
  table.kinds_ = Reader(path).read();
  return table;
}

std::vector<std::string> GradeTable::classes() const {
  std::vector<std::string> names;
  for (const auto& [name, kind] : kinds_) names.push_back(name);
  return names;
}

void GradeTable::grade(Tally& tally) const {
  for (Tally::Row& row : tally.rows) {
    row.grade.clear();
    const auto kind = kinds_.find(row.class_name);
    if (kind != kinds_.end() && row.class_name != row.family)
      row.grade = grade_of(row.count, cells_of(row.family, tally), kind->second);
  }
}

}  // namespace smearscope
