#include "detection/settings.h"

#include "property_flags.h"

namespace smearscope {
namespace {

GType mode_type() {
  static const GEnumValue values[] = {
      {static_cast<int>(DetectionMode::automatic),
       "latest if the source says that it is live and frames come in host memory, else every", "auto"},
      {static_cast<int>(DetectionMode::every),
       "Each frame waits for its own detection; a slow device slows the stream", "every"},
      {static_cast<int>(DetectionMode::latest),
       "Frames pass at once with the newest cells, moved along with the picture; frames that come while the "
       "device is busy are skipped. Frames in CUDA memory can't be taken so",
       "latest"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstCellDetectMode", values);
  return type;
}

GType precision_type() {
  static const GEnumValue values[] = {
      {static_cast<int>(Precision::automatic), "int8 on a CPU that can run the model so, else f32", "auto"},
      {static_cast<int>(Precision::f32), "32-bit floating point", "f32"},
      {static_cast<int>(Precision::f16), "16-bit floating point", "f16"},
      {static_cast<int>(Precision::bf16), "bfloat16: 16-bit floating point with the range of f32", "bf16"},
      {static_cast<int>(Precision::int8), "8-bit integers, for a model that smearscope-train quantise made",
       "int8"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstCellDetectPrecision", values);
  return type;
}

std::string text_of(const GValue* value) {
  const gchar* text = g_value_get_string(value);
  return text ? text : "";
}

std::optional<double> unless_negative(double value) {
  return value < 0 ? std::nullopt : std::optional<double>(value);
}

void install_engine_properties(GObjectClass* object_class) {
  g_object_class_install_property(object_class, prop_model,
                                  g_param_spec_string("model", "Model",
                                                      "Model file (.safetensors): a path, or the name of a "
                                                      "shipped model. Set while playing, the new model is "
                                                      "loaded and checked beside the stream and takes over "
                                                      "between two frames (message model-loaded), also "
                                                      "with other classes; one that is bad, or lacks a class "
                                                      "of `classes`, is refused with a warning, and "
                                                      "the old one stays",
                                                      default_model, any_time));
  g_object_class_install_property(
      object_class, prop_model_watch,
      g_param_spec_boolean("model-watch", "Watch the model",
                           "Whether a new file in the place of the model in use (renamed over it, or written "
                           "there and then at "
                           "rest for a second) is taken over as if `model` had been set again",
                           FALSE, any_time));
  g_object_class_install_property(object_class, prop_device,
                                  g_param_spec_string("device", "Device",
                                                      "Where the model runs: cpu, cuda (the first GPU), "
                                                      "cuda:N, or auto: cuda if it can be used, else cpu. "
                                                      "A device named here that this build or machine lacks "
                                                      "is an error, never replaced by another. On a GPU "
                                                      "frames may come in CUDA memory. Counts "
                                                      "from the next start",
                                                      "cpu", before_start));
  g_object_class_install_property(
      object_class, prop_precision,
      g_param_spec_enum(
          "precision", "Precision",
          "Number format in which the model runs; one that the device or the model lacks is an error. "
          "Counts from the next start",
          precision_type(), static_cast<int>(Precision::automatic), before_start));
  g_object_class_install_property(
      object_class, prop_threads,
      g_param_spec_int(
          "threads", "Threads",
          "CPU threads for one detection; 0: as many as the process may use cores. Elements with the same "
          "model, device, precision, threads and batches share one engine. Counts from the next start",
          0, 1024, 0, before_start));
  g_object_class_install_property(
      object_class, prop_batch_size,
      g_param_spec_int(
          "batch-size", "Batch size",
          "Frames of several streams that share an engine are detected together, up to so many; 0: 1 on a "
          "CPU, where it brings nothing, 8 on a GPU. Counts from the next start",
          0, 256, 0, before_start));
  g_object_class_install_property(
      object_class, prop_batch_wait,
      g_param_spec_double("batch-wait", "Wait for a batch",
                          "Milliseconds that a batch that is not full waits for frames of other streams; at "
                          "0 it takes those that "
                          "came while the one before ran. Counts from the next start",
                          0, 1000, 0, before_start));
  g_object_class_install_property(
      object_class, prop_mode,
      g_param_spec_enum(
          "mode", "Mode",
          "Whether each frame waits for its own detection or frames pass at once. Counts from the next "
          "start",
          mode_type(), static_cast<int>(DetectionMode::automatic), before_start));
}

void install_selection_properties(GObjectClass* object_class) {
  g_object_class_install_property(
      object_class, prop_score_threshold,
      g_param_spec_double("score-threshold", "Score threshold",
                          "Cells of this score or less are left out (0 to 1); -1: the model's own threshold",
                          -1, 1, -1, any_time));
  g_object_class_install_property(
      object_class, prop_nms_threshold,
      g_param_spec_double(
          "nms-threshold", "Overlap threshold",
          "Of two boxes of one class that overlap by more than this share (intersection over union, 0 "
          "to 1) only the better one is kept; -1: the model's own threshold",
          -1, 1, -1, any_time));
  g_object_class_install_property(
      object_class, prop_agnostic_nms_threshold,
      g_param_spec_double(
          "agnostic-nms-threshold", "Overlap threshold across classes",
          "Two boxes that overlap by more than this share (intersection over union, 0 to 1) are one cell, "
          "whatever their classes, and it counts once; 1: under each of its names, none standing for others",
          0, 1, smearscope::Naming{}.agnostic_nms, any_time));
  g_object_class_install_property(
      object_class, prop_kind_threshold,
      g_param_spec_double(
          "kind-threshold", "Least confidence of a kind",
          "A kind (lymphocyte) is named where its score is above this (0 to 1); else a cell goes by the name "
          "of its family (wbc), whose score is that of all its kinds together. Of models that say which "
          "class is a kind of which",
          0, 1, smearscope::Naming{}.kind, any_time));
  g_object_class_install_property(
      object_class, prop_max_detections,
      g_param_spec_int(
          "max-detections", "Most detections",
          "At most this many cells of the wanted classes per frame, best first; 0: the model's own limit", 0,
          G_MAXINT, 0, any_time));
  g_object_class_install_property(
      object_class, prop_classes,
      g_param_spec_string(
          "classes", "Classes",
          "Class names to keep, separated by commas, for example \"wbc,platelet\", which keeps all kinds of "
          "white cells; empty: all. A cell is kept by the name that it goes by, see kind-threshold. A name "
          "that the model does not know is an error. For a new model with other classes set `model` first, "
          "then this: they take effect together",
          "", any_time));
}

}  // namespace

DetectorOptions engine_options(const DetectionSettings& settings) {
  constexpr int batch_on_gpu = 8;
  DetectorOptions options;
  options.device = resolve(Device::parse(settings.device));
  options.precision = settings.precision;
  options.threads = settings.threads;
  options.max_batch = settings.batch_size > 0                     ? settings.batch_size
                      : options.device.kind == Device::Kind::cuda ? batch_on_gpu
                                                                  : 1;
  options.batch_wait_ms = settings.batch_wait_ms;
  return options;
}

void install_settings(GObjectClass* object_class) {
  install_engine_properties(object_class);
  install_selection_properties(object_class);
}

void set_setting(DetectionSettings& settings, guint id, const GValue* value) {
  switch (id) {
    case prop_model:
      settings.model = text_of(value);
      break;
    case prop_model_watch:
      settings.model_watch = g_value_get_boolean(value);
      break;
    case prop_device:
      settings.device = text_of(value);
      break;
    case prop_precision:
      settings.precision = static_cast<Precision>(g_value_get_enum(value));
      break;
    case prop_threads:
      settings.threads = g_value_get_int(value);
      break;
    case prop_batch_size:
      settings.batch_size = g_value_get_int(value);
      break;
    case prop_batch_wait:
      settings.batch_wait_ms = g_value_get_double(value);
      break;
    case prop_mode:
      settings.mode = static_cast<DetectionMode>(g_value_get_enum(value));
      break;
    case prop_score_threshold:
      settings.selection.score = unless_negative(g_value_get_double(value));
      break;
    case prop_nms_threshold:
      settings.selection.nms = unless_negative(g_value_get_double(value));
      break;
    case prop_kind_threshold:
      settings.selection.naming.kind = g_value_get_double(value);
      break;
    case prop_agnostic_nms_threshold:
      settings.selection.naming.agnostic_nms = g_value_get_double(value);
      break;
    case prop_max_detections: {
      const int limit = g_value_get_int(value);
      settings.selection.max_detections = limit == 0 ? std::nullopt : std::optional<int>(limit);
      break;
    }
    case prop_classes:
      settings.selection.classes = text_of(value);
      break;
    default:
      break;
  }
}

void get_setting(const DetectionSettings& settings, guint id, GValue* value) {
  switch (id) {
    case prop_model:
      g_value_set_string(value, settings.model.c_str());
      break;
    case prop_model_watch:
      g_value_set_boolean(value, settings.model_watch);
      break;
    case prop_device:
      g_value_set_string(value, settings.device.c_str());
      break;
    case prop_precision:
      g_value_set_enum(value, static_cast<int>(settings.precision));
      break;
    case prop_threads:
      g_value_set_int(value, settings.threads);
      break;
    case prop_batch_size:
      g_value_set_int(value, settings.batch_size);
      break;
    case prop_batch_wait:
      g_value_set_double(value, settings.batch_wait_ms);
      break;
    case prop_mode:
      g_value_set_enum(value, static_cast<int>(settings.mode));
      break;
    case prop_score_threshold:
      g_value_set_double(value, settings.selection.score.value_or(-1));
      break;
    case prop_nms_threshold:
      g_value_set_double(value, settings.selection.nms.value_or(-1));
      break;
    case prop_kind_threshold:
      g_value_set_double(value, settings.selection.naming.kind);
      break;
    case prop_agnostic_nms_threshold:
      g_value_set_double(value, settings.selection.naming.agnostic_nms);
      break;
    case prop_max_detections:
      g_value_set_int(value, settings.selection.max_detections.value_or(0));
      break;
    case prop_classes:
      g_value_set_string(value, settings.selection.classes.c_str());
      break;
    default:
      break;
  }
}

}  // namespace smearscope
