#include "tally/settings.h"

#include "property_flags.h"
#include "tally/families.h"

namespace smearscope {
namespace {

std::string text_of(const GValue* value) {
  const gchar* text = g_value_get_string(value);
  return text ? text : "";
}

void install_counting(GObjectClass* object_class) {
  const TallySettings defaults;
  g_object_class_install_property(
      object_class, prop_tally,
      g_param_spec_boolean("tally", "Tally",
                           "Count each cell of the slide once; false: frames pass as they come",
                           defaults.tally, any_time));
  g_object_class_install_property(
      object_class, prop_min_sharpness,
      g_param_spec_double(
          "min-sharpness", "Minimum sharpness",
          "Frames with less than this share of the sharpness of the sharpest so far are out of "
          "focus, and their cells are not counted (0 = count all)",
          0.0, 1.0, defaults.min_sharpness, any_time));
  g_object_class_install_property(
      object_class, prop_target,
      g_param_spec_uint(
          "target", "Target",
          "Cells of target-class to count, as the 100, 200 or 400 white cells of a differential; "
          "a message tells when they are reached, and counting goes on (0 = no target)",
          0, G_MAXUINT, defaults.target, any_time));
  g_object_class_install_property(
      object_class, prop_target_class,
      g_param_spec_string("target-class", "Target class",
                          "Class that target is about; a family, as wbc, stands for all its kinds",
                          defaults.target_class.c_str(), any_time));
  g_object_class_install_property(
      object_class, prop_message_interval,
      g_param_spec_uint64(
          "message-interval", "Message interval",
          "Running time in nanoseconds between element messages \"cell-tally\" while counts or the view "
          "change (0 = only at the target, for a new slide and at the end, as where frames have no times)",
          0, G_MAXUINT64 / 2, defaults.message_interval, any_time));
}

void install_reading(GObjectClass* object_class) {
  const TallySettings defaults;
  g_object_class_install_property(
      object_class, prop_pixel_size,
      g_param_spec_double("pixel-size", "Pixel size",
                          "Micrometres of slide that a pixel of the frame shows, for the scale bar, the "
                          "gallery, and a warning where cells are smaller or larger than those that the "
                          "model knows (0 = as the red cells tell, taken to be 7.5 micrometres wide; no "
                          "such warning)",
                          0.0, 1000.0, defaults.pixel_size_um, any_time));
  g_object_class_install_property(
      object_class, prop_grade_table,
      g_param_spec_string("grade-table", "Grade table",
                          "File of the laboratory's grades of red cell shapes (TOML: from which percentage "
                          "of the red cells on a shape is \"few\", \"2+\", ..., and of how many cells at "
                          "least), told beside the shapes' percentages. Read at the start (none = no grades)",
                          "", before_start));
  g_object_class_install_property(
      object_class, prop_platelet_factor,
      g_param_spec_double("platelet-factor", "Platelet factor",
                          "Gives an estimate of the blood's platelets, in 10^9/L, when 1000 red cells are "
                          "counted: this many for each platelet among 1000 red cells. It is the sample's "
                          "red cell count in 10^12/L, or what the site found (0 = no estimate)",
                          0.0, 1000.0, defaults.platelet_factor, any_time));
}

}  // namespace

void install_tally_settings(GObjectClass* object_class) {
  install_counting(object_class);
  install_reading(object_class);
}

void set_tally_setting(TallySettings& settings, guint id, const GValue* value) {
  switch (id) {
    case prop_tally:
      settings.tally = g_value_get_boolean(value);
      break;
    case prop_min_sharpness:
      settings.min_sharpness = g_value_get_double(value);
      break;
    case prop_target:
      settings.target = g_value_get_uint(value);
      break;
    case prop_target_class:
      settings.target_class = text_of(value);
      break;
    case prop_pixel_size:
      settings.pixel_size_um = g_value_get_double(value);
      break;
    case prop_grade_table:
      settings.grade_table = text_of(value);
      break;
    case prop_platelet_factor:
      settings.platelet_factor = g_value_get_double(value);
      break;
    case prop_message_interval:
      settings.message_interval = g_value_get_uint64(value);
      break;
    default:
      break;
  }
}

void get_tally_setting(const TallySettings& settings, guint id, GValue* value) {
  switch (id) {
    case prop_tally:
      g_value_set_boolean(value, settings.tally);
      break;
    case prop_min_sharpness:
      g_value_set_double(value, settings.min_sharpness);
      break;
    case prop_target:
      g_value_set_uint(value, settings.target);
      break;
    case prop_target_class:
      g_value_set_string(value, settings.target_class.c_str());
      break;
    case prop_pixel_size:
      g_value_set_double(value, settings.pixel_size_um);
      break;
    case prop_grade_table:
      g_value_set_string(value, settings.grade_table.c_str());
      break;
    case prop_platelet_factor:
      g_value_set_double(value, settings.platelet_factor);
      break;
    case prop_message_interval:
      g_value_set_uint64(value, settings.message_interval);
      break;
    default:
      break;
  }
}

void add_settings(const TallySettings& settings, const GradeTable& grades, Tally& tally) {
  if (settings.pixel_size_um > 0) {
    tally.pixel_size_um = settings.pixel_size_um;
    tally.calibrated = true;
  }
  tally.target = settings.target;
  tally.target_class = settings.target_class;
  for (const Tally::Row& row : tally.rows) {
    if (row.class_name == settings.target_class || row.family == settings.target_class)
      tally.target_count += row.count;
  }
  grades.grade(tally);
  tally.platelet_estimate = platelet_estimate(tally, settings.platelet_factor);
}

}  // namespace smearscope
