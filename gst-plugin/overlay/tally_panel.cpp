#include "overlay/tally_panel.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "tally/families.h"

namespace smearscope {

draw::Panel panel_of(const Tally& tally) {
  draw::Panel panel;
  panel.headline = "Cells counted";
  if (tally.target > 0) {
    panel.goal =
        tally.target_class + " " + std::to_string(tally.target_count) + "/" + std::to_string(tally.target);
    panel.reached = static_cast<double>(tally.target_count) / tally.target;
  }
  for (const Family& family : families_of(tally)) {
    const std::optional<double> ratio = per_100_white_cells(family, tally);
    panel.rows.push_back({family.name, family.label, family.count,
                          ratio ? std::to_string(std::lround(*ratio)) + "/100 wbc" : "", false});
    for (const Tally::Row& kind : family.kinds) {
      const double share =
          family.count > 0 ? static_cast<double>(kind.count) / static_cast<double>(family.count) : 0;
      const auto percent = static_cast<int>(std::lround(100 * std::min(share, 1.0)));
      panel.rows.push_back({kind.class_name, kind.label, kind.count, std::to_string(percent) + " %", true});
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
