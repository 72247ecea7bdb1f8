// Where the stage is, and how well it is focused, as a function of time alone.
#pragma once

#include <cstdint>

namespace smearscope::smear {

constexpr double slide_width_um = 40000, slide_height_um = 20000;  // the smear on the slide

enum class StagePath { pan, stop_and_go, there_and_back, still, raster };

struct StageSettings {
  std::uint64_t seed = 1;
  StagePath path = StagePath::pan;
  double speed_um_per_s = 40;
  double start_x_um = slide_width_um / 2,
         start_y_um = slide_height_um / 2;  // top left corner of the first field
  double field_width_um = 48, field_height_um = 36;
  double focus_um = 0;        // distance from best focus
  double focus_drift_um = 0;  // how far the focus wanders about that
};

struct StagePosition {
  double x_um, y_um, focus_um;
};

// The stage `seconds` (>= 0) after the first frame. The field never leaves the slide, unless it is larger
// than that: at the edge the stage turns back.
StagePosition stage_at(const StageSettings& settings, double seconds);

}  // namespace smearscope::smear
