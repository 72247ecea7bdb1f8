#include "overlay/tally_panel.h"

#include <algorithm>
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
    panel.rows.push_back({family.name, family.label, family.count, "", false});
    for (const Tally::Row& kind : family.kinds) {
      const auto percent = (200 * kind.count + family.count) / (2 * std::max<guint64>(family.count, 1));
      panel.rows.push_back({kind.class_name, kind.label, kind.count, std::to_string(percent) + " %", true});
    }
  }
  return panel;
}

}  // namespace smearscope
