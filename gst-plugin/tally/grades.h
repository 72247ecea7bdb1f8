// Grades of kinds of cells, above all of red cell shapes, as "moderate" or "2+", by a table that the
// laboratory writes.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "cell_meta.h"

namespace smearscope {

// Which share of its family gives a kind of cell which grade. Any thread.
class GradeTable {
 public:
  GradeTable() = default;  // grades nothing

  // A TOML file; docs/results-format.md has the format. Throws Error, which names file and line.
  static GradeTable read(const std::string& path);

  std::vector<std::string> classes() const;  // that have grades

  // Sets the grade of each row: that of the highest share it reaches, or none.
  void grade(Tally& tally) const;

  struct Step {
    double percent = 0;  // of the family, from which on the grade holds
    std::string grade;   // not empty
  };
  struct Kind {
    std::vector<Step> steps;                    // by ascending share
    guint64 least_cells = default_least_cells;  // of the family: with fewer there is no grade yet
  };
  static constexpr guint64 default_least_cells = 1000;

 private:
  std::map<std::string, Kind> kinds_;  // by class
};

}  // namespace smearscope
