// What celldetect says about new models, and models to swap between.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "element_harness.h"
#include "model_files.h"

namespace smearscope::testing {

// Random models with different weights and classes, and files that are none. Written once per test program.
class SwapModels {
 public:
  SwapModels() {
    ModelInfo info = tiny_model_info();
    write("first", info, 1);
    write("second", info, 2);
    info.classes = {"neutrophil", "basophil", "rbc", "platelet"};
    info.parents = {-1, -1, 3, -1};  // another tree, too
    info.weak_classes = {"basophil"};
    write("other-classes", info, 3);
    write_bytes(file("cut-short"), read_bytes(file("first")).substr(0, 5'000'000));
    write_bytes(file("text"), "this is no model");
    write_bytes(file("damaged"), read_bytes(file("second")).replace(9'000'000, 4, "oops"));
  }
  std::string file(const std::string& name) const { return folder_.file(name + ".safetensors"); }
  std::string digest(const std::string& name) const { return Model::load(file(name))->digest(); }

  static const SwapModels& get() {
    static const SwapModels models;
    return models;
  }

 private:
  // As shipped models are: in 16 bits.
  void write(const std::string& name, const ModelInfo& info, std::uint64_t seed) const {
    write_random_model(file(name), info, seed);
    convert_model(file(name), file(name), DType::f16);
  }

  TemporaryFolder folder_;
};

// Copies `source` beside `path`, then renames it over `path`, as a careful writer does.
inline void replace_file(const std::string& source, const std::string& path) {
  write_bytes(path + ".new", read_bytes(source));
  std::filesystem::rename(path + ".new", path);
}

struct ModelMessage {
  enum Kind { loaded, refused, failed, none } kind = none;
  std::string path, digest, name, device, precision;  // loaded
  std::vector<std::string> classes, parents, weak;    // loaded
  GQuark domain = 0;                                  // refused, failed
  int code = 0;
  std::string text;
};

inline std::vector<std::string> texts_of(const GstStructure* structure, const char* field) {
  std::vector<std::string> texts;
  const GValue* array = gst_structure_get_value(structure, field);
  for (guint i = 0; array && i < gst_value_array_get_size(array); ++i)
    texts.emplace_back(g_value_get_string(gst_value_array_get_value(array, i)));
  return texts;
}

inline ModelMessage parse_loaded(const GstStructure* structure) {
  ModelMessage message;
  message.kind = ModelMessage::loaded;
  message.path = gst_structure_get_string(structure, "path");
  message.digest = gst_structure_get_string(structure, "digest");
  message.name = gst_structure_get_string(structure, "name");
  message.device = gst_structure_get_string(structure, "device");
  message.precision = gst_structure_get_string(structure, "precision");
  message.classes = texts_of(structure, "classes");
  message.parents = texts_of(structure, "parents");
  message.weak = texts_of(structure, "weak_classes");
  return message;
}

inline ModelMessage parse_complaint(GstMessage* source) {
  ModelMessage message;
  GError* error = nullptr;
  if (GST_MESSAGE_TYPE(source) == GST_MESSAGE_WARNING) {
    message.kind = ModelMessage::refused;
    gst_message_parse_warning(source, &error, nullptr);
  } else {
    message.kind = ModelMessage::failed;
    gst_message_parse_error(source, &error, nullptr);
  }
  message.domain = error->domain;
  message.code = error->code;
  message.text = error->message;
  g_error_free(error);
  return message;
}

// The next model-loaded, warning or error on the bus, if one comes within `wait`.
inline ModelMessage next_model_message(GstBus* bus, GstClockTime wait = 120 * GST_SECOND) {
  const auto kinds =
      static_cast<GstMessageType>(GST_MESSAGE_ELEMENT | GST_MESSAGE_WARNING | GST_MESSAGE_ERROR);
  while (GstMessage* source = gst_bus_timed_pop_filtered(bus, wait, kinds)) {
    ModelMessage message;
    if (GST_MESSAGE_TYPE(source) != GST_MESSAGE_ELEMENT) {
      message = parse_complaint(source);
    } else if (gst_message_has_name(source, "model-loaded")) {
      message = parse_loaded(gst_message_get_structure(source));
    }
    gst_message_unref(source);
    if (message.kind != ModelMessage::none) return message;
  }
  return {};
}

inline std::string text_property(GstElement* element, const char* name) {
  gchar* value = nullptr;
  g_object_get(element, name, &value, nullptr);
  const std::string text = value ? value : "";
  g_free(value);
  return text;
}

}  // namespace smearscope::testing
