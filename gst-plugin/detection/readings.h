// What celldetect tells an application: values, the properties that carry them, and the message model-loaded.
#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <memory>

#include "detection/cell_detector.h"
#include "detection/model_loader.h"
#include "detection/settings.h"

namespace smearscope {

struct Readings {
  DetectionStats stats;
  std::uint64_t frames_dropped = 0;
  std::shared_ptr<const Detector> detector;  // in use; none when stopped
};

// Their ids follow those of the settings.
void install_readings(GObjectClass* object_class);

// Does nothing for an id that is none of theirs.
void get_reading(const Readings& readings, guint id, GValue* value);

// model-loaded {path, digest, name, device, precision: strings; classes array of string, parents array of
// string: what each class is a kind of, empty if of none}; the caller frees it.
GstStructure* model_loaded(const ReadyModel& ready);

}  // namespace smearscope
