#include "tally/families.h"

#include <algorithm>

namespace smearscope {

std::vector<Family> families_of(const Tally& tally) {
  std::vector<Family> families;
  for (const Tally::Row& row : tally.rows) {
    const auto is_its = [&](const Family& family) { return family.name == row.family; };
    auto family = std::find_if(families.begin(), families.end(), is_its);
    if (family == families.end()) family = families.insert(family, {row.family, -1, 0, 0, {}});
    family->count += row.count;
    if (row.class_name == row.family) {
      family->label = row.label;
      family->open += row.count;
    } else {
      family->kinds.push_back(row);
    }
  }
  return families;
}

std::optional<double> per_100_white_cells(const Family& family, const Tally& tally) {
  if (family.name != "erythroblast") return std::nullopt;
  guint64 white = 0;
  for (const Tally::Row& row : tally.rows) white += row.family == "wbc" ? row.count : 0;
  if (white == 0) return std::nullopt;
  return 100.0 * static_cast<double>(family.count) / static_cast<double>(white);
}

}  // namespace smearscope
