// What a user can set on celldetect: the values, and the properties that carry them.
#pragma once

#include <glib-object.h>

#include <string>

#include "detection/cell_detector.h"

namespace smearscope {

enum class DetectionMode { automatic, every, latest };

struct DetectionSettings {
  std::string model = default_model;  // a name for find_model, or a path
  std::string device = "cpu";         // see Device::parse
  Precision precision = Precision::f32;
  int threads = 0;  // see DetectorOptions
  DetectionMode mode = DetectionMode::automatic;
  Selection selection;
};

// Ids 1 to first_free_property - 1 are the settings' properties.
inline constexpr guint first_free_property = 10;

void install_settings(GObjectClass* object_class);

// `id` is one of the settings' properties. The caller holds the lock of `settings`.
void set_setting(DetectionSettings& settings, guint id, const GValue* value);
void get_setting(const DetectionSettings& settings, guint id, GValue* value);

}  // namespace smearscope
