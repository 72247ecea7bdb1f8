// What a user can set on celldetect: the values, and the properties that carry them.
#pragma once

#include <glib-object.h>

#include <string>

#include "detection/cell_detector.h"

namespace smearscope {

enum class DetectionMode { automatic, every, latest };

struct DetectionSettings {
  std::string model = default_model;  // a name for find_model, or a path
  bool model_watch = false;           // another file in the model's place is loaded
  std::string device = "cpu";         // see Device::parse
  Precision precision = Precision::automatic;
  int threads = 0;     // see DetectorOptions
  int batch_size = 0;  // 0: 1 on a CPU, 8 on a GPU
  double batch_wait_ms = 0;
  DetectionMode mode = DetectionMode::automatic;
  Selection selection;
};

// The settings' properties.
enum SettingProperty : guint {
  prop_model = 1,
  prop_model_watch,
  prop_device,
  prop_precision,
  prop_threads,
  prop_batch_size,
  prop_batch_wait,
  prop_mode,
  prop_score_threshold,
  prop_nms_threshold,
  prop_agnostic_nms_threshold,
  prop_kind_threshold,
  prop_max_detections,
  prop_classes,
  first_free_property,
};

// Throws Error on a device of no known name.
DetectorOptions engine_options(const DetectionSettings& settings);

void install_settings(GObjectClass* object_class);

// `id` is one of the settings' properties. The caller holds the lock of `settings`.
void set_setting(DetectionSettings& settings, guint id, const GValue* value);
void get_setting(const DetectionSettings& settings, guint id, GValue* value);

}  // namespace smearscope
