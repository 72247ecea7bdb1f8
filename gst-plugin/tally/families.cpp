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

}  // namespace smearscope
