#include "detection/readings.h"

namespace smearscope {
namespace {

enum Property : guint {
  prop_frames_detected = first_free_property,
  prop_frames_skipped,
  prop_frames_dropped,
  prop_detection_time,
  prop_model_digest,
  prop_class_names,
};

}  // namespace

void install_readings(GObjectClass* object_class) {
  const auto flags = static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_property(
      object_class, prop_frames_detected,
      g_param_spec_uint64("frames-detected", "Frames detected",
                          "Frames whose detection has ended since the start", 0, G_MAXUINT64, 0, flags));
  g_object_class_install_property(
      object_class, prop_frames_skipped,
      g_param_spec_uint64("frames-skipped", "Frames skipped",
                          "Frames that passed without a detection of their own since the start (mode latest)",
                          0, G_MAXUINT64, 0, flags));
  g_object_class_install_property(
      object_class, prop_frames_dropped,
      g_param_spec_uint64("frames-dropped", "Frames dropped",
                          "Frames not passed on since the start, because they were already late (qos=true)",
                          0, G_MAXUINT64, 0, flags));
  g_object_class_install_property(
      object_class, prop_detection_time,
      g_param_spec_double("detection-time", "Detection time",
                          "Milliseconds that the last detection took, waiting for a shared engine included",
                          0, G_MAXDOUBLE, 0, flags));
  g_object_class_install_property(
      object_class, prop_model_digest,
      g_param_spec_string(
          "model-digest", "Model digest",
          "SHA-256 of the model file in use, in hex; NULL when stopped. Each frame says which "
          "model found its cells",
          nullptr, flags));
  g_object_class_install_property(
      object_class, prop_class_names,
      g_param_spec_string("class-names", "Class names",
                          "Classes that the model in use can tell apart, in label order; NULL when stopped",
                          nullptr, flags));
}

void get_reading(const Readings& readings, guint id, GValue* value) {
  const Model* model = readings.detector ? &readings.detector->model() : nullptr;
  switch (id) {
    case prop_frames_detected:
      g_value_set_uint64(value, readings.stats.frames_detected);
      break;
    case prop_frames_skipped:
      g_value_set_uint64(value, readings.stats.frames_skipped);
      break;
    case prop_frames_dropped:
      g_value_set_uint64(value, readings.frames_dropped);
      break;
    case prop_detection_time:
      g_value_set_double(value, readings.stats.last_ms);
      break;
    case prop_model_digest:
      g_value_set_string(value, model ? model->digest().c_str() : nullptr);
      break;
    case prop_class_names:
      g_value_set_string(value, model ? joined(model->info().classes).c_str() : nullptr);
      break;
    default:
      break;
  }
}

static void set_texts(GstStructure* structure, const char* field, const std::vector<std::string>& texts) {
  GValue array = G_VALUE_INIT;
  g_value_init(&array, GST_TYPE_ARRAY);
  for (const std::string& text : texts) {
    GValue value = G_VALUE_INIT;
    g_value_init(&value, G_TYPE_STRING);
    g_value_set_string(&value, text.c_str());
    gst_value_array_append_and_take_value(&array, &value);
  }
  gst_structure_take_value(structure, field, &array);
}

GstStructure* model_loaded(const ReadyModel& ready) {
  const Model& model = ready.detector->model();
  GstStructure* structure =
      gst_structure_new("model-loaded", "path", G_TYPE_STRING, ready.path.c_str(), "digest", G_TYPE_STRING,
                        model.digest().c_str(), "name", G_TYPE_STRING, model.info().name.c_str(), "device",
                        G_TYPE_STRING, ready.detector->options().device.to_string().c_str(), "precision",
                        G_TYPE_STRING, name_of(ready.detector->options().precision), nullptr);
  const ModelInfo& info = model.info();
  std::vector<std::string> parents(info.classes.size());
  for (std::size_t i = 0; i < info.parents.size(); ++i) {
    if (info.parents[i] >= 0) parents[i] = info.classes[static_cast<std::size_t>(info.parents[i])];
  }
  set_texts(structure, "classes", info.classes);
  set_texts(structure, "parents", parents);
  set_texts(structure, "weak_classes", info.weak_classes);
  return structure;
}

}  // namespace smearscope
