#include "model_table.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <map>
#include <vector>

namespace smearscope {
namespace {

__attribute__((format(printf, 1, 2))) std::string format(const char* pattern, ...) {
  va_list values;
  va_start(values, pattern);
  char buffer[512];
  std::vsnprintf(buffer, sizeof buffer, pattern, values);
  va_end(values);
  return buffer;
}

template <typename Numbers>
std::string join(const Numbers& numbers) {
  std::string out;
  for (const double number : numbers) out += (out.empty() ? "" : " ") + format("%.6g", number);
  return out;
}

// "name          value", further lines of the value under the first.
void add_row(std::string& out, const char* name, const std::string& value) {
  out += format("%-14s", name);
  for (const char c : value) {
    if (c == '\r') continue;
    out += c;
    if (c == '\n') out += std::string(14, ' ');
  }
  while (out.back() == ' ' || out.back() == '\n') out.pop_back();
  out += '\n';
}

void add_optional_row(std::string& out, const char* name, const std::string& value) {
  if (!value.empty()) add_row(out, name, value);
}

std::size_t weight_bytes(const Model& model) {
  std::size_t bytes = 0;
  for (const TensorView& tensor : model.stored_tensors()) bytes += tensor.bytes;
  return bytes;
}

std::string shape_of(const TensorView& tensor) {
  std::string out;
  for (const std::int64_t size : tensor.shape) out += (out.empty() ? "" : " x ") + std::to_string(size);
  return out;
}

std::string anchors_of(const Architecture& architecture) {
  static constexpr std::array<const char*, 5> levels = {"P2", "P3", "P4", "P5", "P6"};
  std::string out;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    out += std::string(i > 0 ? ", " : "") + levels[i] + " " + join(architecture.anchor_sizes[i]);
  }
  return out + " px; height/width " + join(architecture.anchor_ratios);
}

std::string classes_of(const ModelInfo& info) {
  std::string out;
  for (std::size_t i = 0; i < info.classes.size(); ++i) {
    out += (i > 0 ? ", " : "") + std::to_string(i) + " " + info.classes[i];
    if (!info.parents.empty() && info.parents[i] >= 0)
      out += " (" + info.classes[static_cast<std::size_t>(info.parents[i])] + ")";
  }
  return out;
}

std::string weak_classes_of(const ModelInfo& info) {
  std::string out;
  for (const std::string& name : info.weak_classes) out += (out.empty() ? "" : ", ") + name;
  return out.empty() ? "none is told" : out + ": often missed or misnamed";
}

std::string adjustment_of(const ImageAdjustment& adjustment) {
  if (adjustment.contrast == 1 && adjustment.brightness == 0 && adjustment.unsharp_amount == 0) return "none";
  return format("contrast %.6g, brightness %+.6g, unsharp mask %.6g (sigma %.6g px)", adjustment.contrast,
                adjustment.brightness, adjustment.unsharp_amount, adjustment.unsharp_sigma);
}

std::string metrics_of(const std::map<std::string, double>& metrics) {
  std::size_t widest = 0;
  for (const auto& [key, value] : metrics) widest = std::max(widest, key.size());
  std::string out;
  for (const auto& [key, value] : metrics) {
    out += key + std::string(widest - key.size() + 2, ' ') + format("%.6g\n", value);
  }
  return out.empty() ? "none" : out;
}

void add_info(std::string& out, const ModelInfo& info) {
  const Architecture& architecture = info.architecture;
  add_row(out, "architecture",
          format("Faster R-CNN, %s, FPN of %d channels, box head of %d, batch norm eps %.6g",
                 architecture.backbone.c_str(), architecture.fpn_channels, architecture.head_width,
                 architecture.batch_norm_eps));
  add_row(out, "anchors", anchors_of(architecture));
  add_row(out, "proposals",
          format("best %d per level, NMS %.6g, best %d per image", architecture.rpn_pre_nms_top_n,
                 architecture.rpn_nms_threshold, architecture.rpn_post_nms_top_n));
  add_row(out, "classes", classes_of(info));
  add_row(out, "weak classes", weak_classes_of(info));
  add_row(
      out, "transform",
      format("shorter side %d px, longer at most %d; mean %s, std %s", info.transform.min_side,
             info.transform.max_side, join(info.transform.mean).c_str(), join(info.transform.std).c_str()));
  add_row(out, "adjustment", adjustment_of(info.transform.adjustment));
  add_row(out, "pixel size",
          info.pixel_size_um ? format("%.6g um, resized", *info.pixel_size_um) : "not known");
  add_row(out, "red cells",
          info.red_cell_sides ? format("known from %.6g to %.6g px wide, resized", (*info.red_cell_sides)[0],
                                       (*info.red_cell_sides)[1])
                              : "sizes that it knows are not told");
  add_row(out, "thresholds",
          format("score above %.6g, NMS %.6g, at most %d detections", info.thresholds.score,
                 info.thresholds.nms, info.thresholds.max_detections));
  add_row(out, "int8",
          info.activation_ranges.empty()
              ? "no activation ranges: can't run in int8"
              : format("activation ranges of %zu layers", info.activation_ranges.size()));
  add_row(out, "metrics", metrics_of(info.metrics));
  add_row(out, "licence", info.licence.empty() ? "not stated" : info.licence);
  add_optional_row(out, "created by", info.created_by);
  add_optional_row(out, "corpus", info.corpus_digest);
  add_optional_row(out, "regimen", info.regimen);
}

void add_tensors(std::string& out, const Model& model) {
  std::size_t values = 0;
  std::map<std::string, std::size_t> count_of;
  out += format("%-50s %-5s %-20s %12s\n", "tensor", "dtype", "shape", "bytes");
  for (const TensorView& tensor : model.stored_tensors()) {
    out += format("%-50s %-5s %-20s %12zu\n", tensor.name.c_str(), name_of(tensor.dtype),
                  shape_of(tensor).c_str(), tensor.bytes);
    values += tensor.bytes / size_of(tensor.dtype);
    ++count_of[name_of(tensor.dtype)];
  }
  std::string dtypes;
  for (const auto& [dtype, count] : count_of) {
    dtypes += (dtypes.empty() ? "" : ", ") + std::to_string(count) + " " + dtype;
  }
  const std::string total = std::to_string(model.stored_tensors().size()) + " tensors (" + dtypes + ")";
  out +=
      format("%-50s %-26s %12zu\n", total.c_str(), format("%zu values", values).c_str(), weight_bytes(model));
}

}  // namespace

std::string describe(const Model& model) {
  std::string out;
  add_row(out, "file", model.path());
  add_optional_row(out, "name", model.info().name);
  add_info(out, model.info());
  add_row(out, "sha256", model.digest());
  out += '\n';
  add_tensors(out, model);
  return out;
}

std::string summarize(const Model& model) {
  return format("%s, %zu classes, %zu tensors, %.1f MB, sha256 %s",
                model.info().architecture.backbone.c_str(), model.info().classes.size(),
                model.stored_tensors().size(), static_cast<double>(weight_bytes(model)) / 1e6,
                model.digest().c_str());
}

}  // namespace smearscope
