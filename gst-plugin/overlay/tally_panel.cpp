#include "overlay/tally_panel.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>

#include "tally/families.h"

namespace smearscope {
namespace {

// A kind's share, with the grade that the laboratory gives it; grades may turn on tenths.
std::string share_of(const Tally::Row& kind, guint64 whole) {
  const double share = whole > 0 ? static_cast<double>(kind.count) / static_cast<double>(whole) : 0;
  const double percent = 100 * std::min(share, 1.0);
  if (kind.grade.empty()) return std::to_string(std::lround(percent)) + " %";
  char number[16];
  std::snprintf(number, sizeof number, " %.1f %%", percent);
  return kind.grade + number;
}

// What stands right of a family's count.
std::string beside(const Family& family, const Tally& tally) {
  if (const std::optional<double> ratio = per_100_white_cells(family, tally))
    return std::to_string(std::lround(*ratio)) + "/100 wbc";
  if (family.name == "platelet" && tally.platelet_estimate)
    return "\u2248" + std::to_string(std::lround(*tally.platelet_estimate)) + "\u00b710\u2079/L";
  return "";
}

}  // namespace

draw::Panel panel_of(const Tally& tally) {
  draw::Panel panel;
  panel.headline = "Cells counted";
  if (tally.target > 0) {
    panel.goal =
        tally.target_class + " " + std::to_string(tally.target_count) + "/" + std::to_string(tally.target);
    panel.reached = static_cast<double>(tally.target_count) / tally.target;
  }
  for (const Family& family : families_of(tally)) {
    panel.rows.push_back(
        {family.name, family.label, family.count, beside(family, tally), false, family.weak});
    for (const Tally::Row& kind : family.kinds) {
      panel.rows.push_back(
          {kind.class_name, kind.label, kind.count, share_of(kind, family.count), true, kind.weak});
    }
  }
  return panel;
}

draw::Caption caption_of(const Tally& tally) {
  draw::Caption caption{tally.pixel_size_um, !tally.calibrated, ""};
  if (tally.view == View::out_of_focus) caption.warning = "Out of focus";
  if (tally.view == View::too_dark) caption.warning = "Too dark";
  if (tally.view == View::cells_too_small) caption.warning = "Cells too small for the model";
  if (tally.view == View::cells_too_large) caption.warning = "Cells too large for the model";
  return caption;
}

}  // namespace smearscope
