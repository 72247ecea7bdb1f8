// The range of every value in the document; docs/model-format.md lists them.
#include <algorithm>
#include <set>
#include <sstream>

#include "model/model_info.h"
#include "model/text.h"

namespace smearscope {
namespace {

void check_range(const std::string& field, double value, double lowest, double highest) {
  if (value >= lowest && value <= highest) return;  // NaN fails this too
  std::ostringstream message;
  message << "document: " << field << " is " << value << ", but must be from " << lowest << " to " << highest;
  throw Error(message.str());
}

void check_text(const std::string& field, const std::string& text, std::size_t longest,
                LineBreaks line_breaks) {
  if (text.size() > longest) {
    throw Error("document: " + field + " has " + std::to_string(text.size()) + " bytes, but may have " +
                std::to_string(longest));
  }
  if (!is_utf8(text)) throw Error("document: " + field + " is not valid UTF-8: " + quoted(text));
  if (has_control_characters(text, line_breaks)) {
    throw Error("document: " + field + " holds a control character: " + quoted(text));
  }
}

void check_architecture(const Architecture& architecture) {
  const std::string& backbone = architecture.backbone;
  if (backbone != "resnet18" && backbone != "resnet34" && backbone != "resnet50") {
    throw Error("document: architecture.backbone is " + quoted(backbone) +
                ", but must be resnet18, resnet34 or resnet50");
  }
  check_range("architecture.fpn_channels", architecture.fpn_channels, 1, 1024);
  check_range("architecture.head_width", architecture.head_width, 1, 4096);
  check_range("architecture.batch_norm_eps", architecture.batch_norm_eps, 0, 1);
  check_range("the number of architecture.anchor_ratios",
              static_cast<double>(architecture.anchor_ratios.size()), 1, 8);
  for (const float ratio : architecture.anchor_ratios)
    check_range("architecture.anchor_ratios", ratio, 0.01, 100);
  const std::size_t sizes_per_level = architecture.anchor_sizes[0].size();
  check_range("the number of architecture.anchor_sizes per level", static_cast<double>(sizes_per_level), 1,
              8);
  for (const std::vector<float>& sizes : architecture.anchor_sizes) {
    // One RPN head serves all levels.
    if (sizes.size() != sizes_per_level) {
      throw Error("document: architecture.anchor_sizes must have equally many sizes in each level");
    }
    for (const float size : sizes) check_range("architecture.anchor_sizes", size, 1, 4096);
  }
  check_range("the number of anchors per place (sizes per level x ratios)",
              static_cast<double>(sizes_per_level * architecture.anchor_ratios.size()), 1, 16);
  check_range("architecture.rpn_pre_nms_top_n", architecture.rpn_pre_nms_top_n, 1, 10000);
  check_range("architecture.rpn_post_nms_top_n", architecture.rpn_post_nms_top_n, 1, 4000);
  check_range("architecture.rpn_nms_threshold", architecture.rpn_nms_threshold, 0, 1);
}

void check_classes(const std::vector<std::string>& classes) {
  check_range("the number of classes", static_cast<double>(classes.size()), 1, 256);
  std::set<std::string> seen;
  for (const std::string& name : classes) {
    if (name.empty()) throw Error("document: classes: a name is empty");
    check_text("classes", name, 64, LineBreaks::refused);
    if (!seen.insert(name).second) throw Error("document: classes: " + quoted(name) + " comes twice");
  }
}

void check_parents(const ModelInfo& info) {
  const std::vector<int>& parents = info.parents;
  const auto count = static_cast<int>(info.classes.size());
  if (parents.empty()) return;
  check_range("the number of parents", static_cast<double>(parents.size()), count, count);
  for (const int parent : parents) check_range("parents", parent, -1, count - 1);
  for (int i = 0; i < count; ++i) {
    int steps = 0;
    for (int at = i; at >= 0; at = parents[static_cast<std::size_t>(at)]) {
      if (++steps > count)
        throw Error("document: parents: " + quoted(info.classes[static_cast<std::size_t>(i)]) +
                    " has itself among its parents");
    }
  }
}

void check_weak_classes(const ModelInfo& info) {
  std::set<std::string> seen;
  for (const std::string& name : info.weak_classes) {
    if (std::find(info.classes.begin(), info.classes.end(), name) == info.classes.end())
      throw Error("document: weak_classes: there is no class " + quoted(name));
    if (!seen.insert(name).second) throw Error("document: weak_classes names " + quoted(name) + " twice");
  }
}

void check_transform(const Transform& transform) {
  check_range("transform.min_side", transform.min_side, 32, 4096);
  check_range("transform.max_side", transform.max_side, transform.min_side, 4096);
  for (const double mean : transform.mean) check_range("transform.mean", mean, -10, 10);
  for (const double std : transform.std) check_range("transform.std", std, 0.001, 1000);
  check_range("transform.adjustment.contrast", transform.adjustment.contrast, 0, 10);
  check_range("transform.adjustment.brightness", transform.adjustment.brightness, -1, 1);
  check_range("transform.adjustment.unsharp_amount", transform.adjustment.unsharp_amount, 0, 10);
  check_range("transform.adjustment.unsharp_sigma", transform.adjustment.unsharp_sigma, 0.1, 20);
}

void check_corpus_digest(const std::string& digest) {
  const bool hex = digest.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!digest.empty() && (digest.size() != 64 || !hex)) {
    throw Error("document: corpus_digest must be 64 lower-case hexadecimal digits");
  }
}

}  // namespace

void check_model_info(const ModelInfo& info) {
  check_text("name", info.name, 200, LineBreaks::refused);
  check_architecture(info.architecture);
  check_classes(info.classes);
  check_parents(info);
  check_weak_classes(info);
  check_transform(info.transform);
  if (info.pixel_size_um) check_range("pixel_size_um", *info.pixel_size_um, 0.001, 100);
  if (const auto& sides = info.red_cell_sides) {
    for (const double side : *sides) check_range("red_cell_sides", side, 1, 4096);
    if ((*sides)[0] > (*sides)[1])
      throw Error("document: red_cell_sides must be two numbers, the smaller first");
  }
  check_range("thresholds.score", info.thresholds.score, 0, 1);
  check_range("thresholds.nms", info.thresholds.nms, 0, 1);
  check_range("thresholds.max_detections", info.thresholds.max_detections, 1, 10000);
  check_text("regimen", info.regimen, 100000, LineBreaks::allowed);
  check_corpus_digest(info.corpus_digest);
  check_range("the number of activation_ranges", static_cast<double>(info.activation_ranges.size()), 0, 1000);
  for (const auto& [layer, range] : info.activation_ranges) {
    check_text("the name of a layer in activation_ranges", layer, 200, LineBreaks::refused);
    check_range("activation_ranges." + layer, range, 1e-6, 1e6);
  }
  check_range("the number of metrics", static_cast<double>(info.metrics.size()), 0, 1000);
  for (const auto& [key, value] : info.metrics) {
    check_text("the name of a metric", key, 200, LineBreaks::refused);
    check_range("metrics." + key, value, -1e12, 1e12);
  }
  check_text("licence", info.licence, 10000, LineBreaks::allowed);
  check_text("created_by", info.created_by, 200, LineBreaks::refused);
}

}  // namespace smearscope
