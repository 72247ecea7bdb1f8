// Sums of a tally's rows.
#pragma once

#include <string>

#include "tally/cell_tally.h"

namespace smearscope::testing {

inline std::uint64_t counted(const CellTally& tally) {
  std::uint64_t sum = 0;
  for (const Tally::Row& row : tally.tally().rows) sum += row.count;
  return sum;
}

inline std::uint64_t counted(const CellTally& tally, const std::string& name) {
  for (const Tally::Row& row : tally.tally().rows) {
    if (row.class_name == name) return row.count;
  }
  return 0;
}

}  // namespace smearscope::testing
