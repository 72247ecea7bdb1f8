#include "tally/families.h"

#include <algorithm>

namespace smearscope {

std::vector<Family> families_of(const Tally& tally) {
  std::vector<Family> families;
  for (const Tally::Row& row : tally.rows) {
    const auto is_its = [&](const Family& family) { return family.name == row.family; };
    auto family = std::find_if(families.begin(), families.end(), is_its);
    if (family == families.end()) family = families.insert(family, {row.family, -1, 0, 0, false, {}});
    family->count += row.count;
    if (row.class_name == row.family) {
      family->label = row.label;
      family->open += row.count;
      family->weak = row.weak;
    } else {
      family->kinds.push_back(row);
    }
  }
  return families;
}

guint64 cells_of(const std::string& family, const Tally& tally) {
  guint64 cells = 0;
  for (const Tally::Row& row : tally.rows) cells += row.family == family ? row.count : 0;
  return cells;
}

std::optional<double> per_100_white_cells(const Family& family, const Tally& tally) {
  if (family.name != "erythroblast") return std::nullopt;
  const guint64 white = cells_of("wbc", tally);
  if (white == 0) return std::nullopt;
  return 100.0 * static_cast<double>(family.count) / static_cast<double>(white);
}

std::optional<double> platelet_estimate(const Tally& tally, double factor) {
  constexpr guint64 least_red_cells = 1000;
  if (factor <= 0) return std::nullopt;
  const guint64 red = cells_of("rbc", tally);
  const bool finds_platelets = std::any_of(tally.rows.begin(), tally.rows.end(),
                                           [](const Tally::Row& row) { return row.family == "platelet"; });
  if (red < least_red_cells || !finds_platelets) return std::nullopt;
  return 1000.0 * static_cast<double>(cells_of("platelet", tally)) / static_cast<double>(red) * factor;
}

}  // namespace smearscope
