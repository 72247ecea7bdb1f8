#include "model/model_info.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <map>
#include <utility>

#include "model/json.h"
#include "model/text.h"

namespace smearscope {
namespace {

// One object of the document, read field by field; `path` is its place for messages ("architecture.").
// finish() refuses the fields that nobody asked for.
class Fields {
 public:
  Fields(const Json& object, std::string path) : object_(object), path_(std::move(path)) {
    if (object.kind != Json::Kind::object) fail("", "must be an object");
  }

  const Json* optional(const char* key) {
    for (const JsonMember& member : object_.members) {
      if (member.key != key) continue;
      ++used_;
      keys_.emplace_back(key);
      return &member.value;
    }
    return nullptr;
  }

  const Json& required(const char* key) {
    const Json* value = optional(key);
    if (value == nullptr) fail(key, "is missing");
    return *value;
  }

  double number(const char* key) { return number_of(required(key), key); }

  int integer(const char* key) {
    const double value = number(key);
    if (value != std::floor(value) || std::abs(value) > std::numeric_limits<int>::max()) {
      fail(key, "must be a whole number of at most 31 bits");
    }
    return static_cast<int>(value);
  }

  std::string text(const char* key) { return text_of(required(key), key); }

  std::string optional_text(const char* key) {
    const Json* value = optional(key);
    return value == nullptr ? std::string() : text_of(*value, key);
  }

  const std::vector<Json>& array(const char* key) { return array_of(required(key), key); }

  Fields object(const char* key) { return {required(key), path_ + key + "."}; }

  const std::vector<Json>& array_of(const Json& value, const char* key) {
    if (value.kind != Json::Kind::array) fail(key, "must be an array");
    return value.items;
  }

  double number_of(const Json& value, const char* key) {
    if (value.kind != Json::Kind::number) fail(key, "must be a number");
    return value.number;
  }

  std::string text_of(const Json& value, const char* key) {
    if (value.kind != Json::Kind::string) fail(key, "must be a string");
    return value.string;
  }

  const std::vector<JsonMember>& members() {
    used_ = object_.members.size();
    return object_.members;
  }

  void finish() {
    if (used_ == object_.members.size()) return;
    for (const JsonMember& member : object_.members) {
      bool known = false;
      for (const std::string& key : keys_) known = known || key == member.key;
      if (!known) throw Error("document: unknown field " + quoted(path_ + member.key));
    }
  }

  [[noreturn]] void fail(const char* key, const char* what) {
    const std::string place = path_ + key;
    throw Error("document: " + (place.empty() ? std::string("it") : place) + " " + what);
  }

 private:
  const Json& object_;
  std::string path_;
  std::vector<std::string> keys_;  // that were asked for and found
  std::size_t used_ = 0;
};

Architecture parse_architecture(Fields fields) {
  Architecture architecture;
  architecture.backbone = fields.text("backbone");
  architecture.fpn_channels = fields.integer("fpn_channels");
  architecture.head_width = fields.integer("head_width");
  architecture.batch_norm_eps = fields.number("batch_norm_eps");
  const std::vector<Json>& levels = fields.array("anchor_sizes");
  if (levels.size() != architecture.anchor_sizes.size()) fields.fail("anchor_sizes", "must hold five arrays");
  for (std::size_t level = 0; level < levels.size(); ++level) {
    architecture.anchor_sizes[level].clear();
    for (const Json& size : fields.array_of(levels[level], "anchor_sizes")) {
      architecture.anchor_sizes[level].push_back(static_cast<float>(fields.number_of(size, "anchor_sizes")));
    }
  }
  architecture.anchor_ratios.clear();
  for (const Json& ratio : fields.array("anchor_ratios")) {
    architecture.anchor_ratios.push_back(static_cast<float>(fields.number_of(ratio, "anchor_ratios")));
  }
  architecture.rpn_pre_nms_top_n = fields.integer("rpn_pre_nms_top_n");
  architecture.rpn_post_nms_top_n = fields.integer("rpn_post_nms_top_n");
  architecture.rpn_nms_threshold = fields.number("rpn_nms_threshold");
  fields.finish();
  return architecture;
}

std::array<double, 3> parse_rgb(Fields& fields, const char* key) {
  const std::vector<Json>& values = fields.array(key);
  if (values.size() != 3) fields.fail(key, "must be three numbers: R, G, B");
  std::array<double, 3> rgb{};
  for (std::size_t i = 0; i < 3; ++i) rgb[i] = fields.number_of(values[i], key);
  return rgb;
}

Transform parse_transform(Fields fields) {
  Transform transform;
  transform.min_side = fields.integer("min_side");
  transform.max_side = fields.integer("max_side");
  transform.mean = parse_rgb(fields, "mean");
  transform.std = parse_rgb(fields, "std");
  Fields adjustment = fields.object("adjustment");
  transform.adjustment.contrast = adjustment.number("contrast");
  transform.adjustment.brightness = adjustment.number("brightness");
  transform.adjustment.unsharp_amount = adjustment.number("unsharp_amount");
  transform.adjustment.unsharp_sigma = adjustment.number("unsharp_sigma");
  adjustment.finish();
  fields.finish();
  return transform;
}

Thresholds parse_thresholds(Fields fields) {
  Thresholds thresholds;
  thresholds.score = fields.number("score");
  thresholds.nms = fields.number("nms");
  thresholds.max_detections = fields.integer("max_detections");
  fields.finish();
  return thresholds;
}

std::vector<int> parse_parents(Fields fields, const std::vector<std::string>& classes) {
  std::map<std::string, int> labels;  // the number of classes is not checked yet
  for (const std::string& name : classes) labels.emplace(name, static_cast<int>(labels.size()));
  const auto label_of = [&](const std::string& name) {
    const auto found = labels.find(name);
    if (found == labels.end()) throw Error("document: parents: there is no class " + quoted(name));
    return found->second;
  };
  std::vector<int> parents(classes.size(), -1);
  for (const JsonMember& entry : fields.members()) {
    const int parent = label_of(fields.text_of(entry.value, ""));
    parents[static_cast<std::size_t>(label_of(entry.key))] = parent;
  }
  return parents;
}

template <typename Numbers>
Json array_of_numbers(const Numbers& numbers) {
  Json array = Json::array();
  for (const double number : numbers) array.append(number);
  return array;
}

Json write_architecture(const Architecture& architecture) {
  Json levels = Json::array();
  for (const std::vector<float>& sizes : architecture.anchor_sizes) levels.append(array_of_numbers(sizes));
  Json object = Json::object();
  object.append("backbone", architecture.backbone);
  object.append("fpn_channels", architecture.fpn_channels);
  object.append("head_width", architecture.head_width);
  object.append("batch_norm_eps", architecture.batch_norm_eps);
  object.append("anchor_sizes", std::move(levels));
  object.append("anchor_ratios", array_of_numbers(architecture.anchor_ratios));
  object.append("rpn_pre_nms_top_n", architecture.rpn_pre_nms_top_n);
  object.append("rpn_post_nms_top_n", architecture.rpn_post_nms_top_n);
  object.append("rpn_nms_threshold", architecture.rpn_nms_threshold);
  return object;
}

Json write_transform(const Transform& transform) {
  Json adjustment = Json::object();
  adjustment.append("contrast", transform.adjustment.contrast);
  adjustment.append("brightness", transform.adjustment.brightness);
  adjustment.append("unsharp_amount", transform.adjustment.unsharp_amount);
  adjustment.append("unsharp_sigma", transform.adjustment.unsharp_sigma);
  Json object = Json::object();
  object.append("min_side", transform.min_side);
  object.append("max_side", transform.max_side);
  object.append("mean", array_of_numbers(transform.mean));
  object.append("std", array_of_numbers(transform.std));
  object.append("adjustment", std::move(adjustment));
  return object;
}

Json write_texts(const std::vector<std::string>& texts) {
  Json array = Json::array();
  for (const std::string& text : texts) array.append(text);
  return array;
}

Json write_parents(const ModelInfo& info) {
  Json object = Json::object();
  for (std::size_t i = 0; i < info.parents.size(); ++i) {
    if (info.parents[i] >= 0)
      object.append(info.classes[i], info.classes[static_cast<std::size_t>(info.parents[i])]);
  }
  return object;
}

// Names and numbers.
std::map<std::string, double> parse_numbers(const Json& value, const std::string& name) {
  Fields fields(value, name + ".");
  std::map<std::string, double> numbers;
  for (const JsonMember& member : fields.members())
    numbers[member.key] = fields.number_of(member.value, quoted(member.key).c_str());
  return numbers;
}

Json write_numbers(const std::map<std::string, double>& numbers) {
  Json object = Json::object();
  for (const auto& [key, value] : numbers) object.append(key, value);
  return object;
}

Json write_thresholds(const Thresholds& thresholds) {
  Json object = Json::object();
  object.append("score", thresholds.score);
  object.append("nms", thresholds.nms);
  object.append("max_detections", thresholds.max_detections);
  return object;
}

}  // namespace

bool is_weak(const ModelInfo& info, int label) {
  const std::string& name = info.classes.at(static_cast<std::size_t>(label));
  return std::find(info.weak_classes.begin(), info.weak_classes.end(), name) != info.weak_classes.end();
}

bool is_kind_of(const ModelInfo& info, int label, int of) {
  if (info.parents.empty()) return false;
  for (int at = info.parents.at(static_cast<std::size_t>(label)); at >= 0;
       at = info.parents[static_cast<std::size_t>(at)]) {
    if (at == of) return true;
  }
  return false;
}

std::vector<bool> with_kinds(const ModelInfo& info, const std::vector<std::string>& names) {
  const std::vector<std::string>& known = info.classes;
  std::vector<bool> result(known.size());
  for (const std::string& name : names) {
    const auto found = std::find(known.begin(), known.end(), name);
    if (found == known.end()) {
      std::string all;
      for (const std::string& each : known) all += (all.empty() ? "" : ", ") + each;
      throw Error("the model has no class '" + name + "'; it has " + all);
    }
    const auto of = static_cast<int>(found - known.begin());
    for (std::size_t i = 0; i < known.size(); ++i) {
      const auto label = static_cast<int>(i);
      if (label == of || is_kind_of(info, label, of)) result[i] = true;
    }
  }
  return result;
}

ModelInfo parse_model_info(std::string_view json) {
  Json document;
  try {
    document = parse_json(json);
  } catch (const Error& error) {
    throw Error(std::string("document, ") + error.what());
  }
  Fields fields(document, "");
  const int version = fields.integer("version");
  if (version != model_info_version) {
    throw Error("document: version " + std::to_string(version) + ", but this program reads version " +
                std::to_string(model_info_version) + " only; a newer Smearscope may read it");
  }
  ModelInfo info;
  info.name = fields.optional_text("name");
  info.architecture = parse_architecture(fields.object("architecture"));
  for (const Json& name : fields.array("classes")) info.classes.push_back(fields.text_of(name, "classes"));
  if (const Json* parents = fields.optional("parents"))
    info.parents = parse_parents(Fields(*parents, "parents"), info.classes);
  if (const Json* weak = fields.optional("weak_classes")) {
    for (const Json& name : fields.array_of(*weak, "weak_classes"))
      info.weak_classes.push_back(fields.text_of(name, "weak_classes"));
  }
  info.transform = parse_transform(fields.object("transform"));
  if (const Json* size = fields.optional("pixel_size_um"))
    info.pixel_size_um = fields.number_of(*size, "pixel_size_um");
  if (const Json* sides = fields.optional("red_cell_sides")) {
    const std::vector<Json>& two = fields.array_of(*sides, "red_cell_sides");
    if (two.size() != 2) fields.fail("red_cell_sides", "must be two numbers, the smaller first");
    info.red_cell_sides = {fields.number_of(two[0], "red_cell_sides"),
                           fields.number_of(two[1], "red_cell_sides")};
  }
  info.thresholds = parse_thresholds(fields.object("thresholds"));
  info.regimen = fields.optional_text("regimen");
  info.corpus_digest = fields.optional_text("corpus_digest");
  if (const Json* ranges = fields.optional("activation_ranges"))
    info.activation_ranges = parse_numbers(*ranges, "activation_ranges");
  if (const Json* metrics = fields.optional("metrics")) info.metrics = parse_numbers(*metrics, "metrics");
  info.licence = fields.optional_text("licence");
  info.created_by = fields.optional_text("created_by");
  fields.finish();
  check_model_info(info);
  return info;
}

std::string write_model_info(const ModelInfo& info) {
  check_model_info(info);
  Json document = Json::object();
  const auto append_text = [&document](const char* key, const std::string& text) {
    if (!text.empty()) document.append(key, text);
  };
  document.append("version", model_info_version);
  append_text("name", info.name);
  document.append("architecture", write_architecture(info.architecture));
  document.append("classes", write_texts(info.classes));
  if (Json parents = write_parents(info); !parents.members.empty())
    document.append("parents", std::move(parents));
  if (!info.weak_classes.empty()) document.append("weak_classes", write_texts(info.weak_classes));
  document.append("transform", write_transform(info.transform));
  if (info.pixel_size_um) document.append("pixel_size_um", *info.pixel_size_um);
  if (info.red_cell_sides) document.append("red_cell_sides", array_of_numbers(*info.red_cell_sides));
  document.append("thresholds", write_thresholds(info.thresholds));
  append_text("regimen", info.regimen);
  append_text("corpus_digest", info.corpus_digest);
  if (!info.activation_ranges.empty())
    document.append("activation_ranges", write_numbers(info.activation_ranges));
  document.append("metrics", write_numbers(info.metrics));
  append_text("licence", info.licence);
  append_text("created_by", info.created_by);
  return write_json(document);
}

}  // namespace smearscope
