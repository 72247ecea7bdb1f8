// What a user can set on celltally: the values, and the properties that carry them.
#pragma once

#include <gst/gst.h>

#include <string>

#include "cell_meta.h"
#include "tally/grades.h"

namespace smearscope {

struct TallySettings {
  bool tally = true;
  double min_sharpness = 0.15;
  guint target = 0;
  std::string target_class = "wbc";
  double pixel_size_um = 0;  // 0: as the red cells tell
  std::string grade_table;   // empty: no grades
  double platelet_factor = 0;
  GstClockTime message_interval = GST_SECOND;
};

// The settings' properties.
enum TallyProperty : guint {
  prop_tally = 1,
  prop_min_sharpness,
  prop_target,
  prop_target_class,
  prop_pixel_size,
  prop_grade_table,
  prop_platelet_factor,
  prop_message_interval,
  first_free_tally_property,
};

void install_tally_settings(GObjectClass* object_class);

// `id` is one of the settings' properties. The caller holds the lock of `settings`.
void set_tally_setting(TallySettings& settings, guint id, const GValue* value);
void get_tally_setting(const TallySettings& settings, guint id, GValue* value);

// What follows from the settings for cells that were counted: the target and how far it is, a pixel size that
// was given, grades, platelets.
void add_settings(const TallySettings& settings, const GradeTable& grades, Tally& tally);

}  // namespace smearscope
