#include "model/model_tensors.h"

#include <unordered_map>

#include "model/checksum.h"
#include "model/quantisation.h"
#include "model/tensor_values.h"
#include "model/text.h"

namespace smearscope {
namespace {

bool ends_with(std::string_view text, std::string_view ending) {
  return text.size() >= ending.size() && text.substr(text.size() - ending.size()) == ending;
}

}  // namespace

std::optional<DType> weight_dtype(std::string_view word) {
  for (const DType dtype : {DType::f32, DType::f16, DType::bf16, DType::i8}) {
    if (word == name_of(dtype)) return dtype;
  }
  return std::nullopt;
}

bool is_batch_counter(const TensorPlace& place) {
  return place.dtype == "I64" && place.shape.empty() && ends_with(place.name, ".num_batches_tracked");
}

namespace {

bool is_scale(const TensorPlace& place) {
  return ends_with(place.name, scale_name(""));
}

// Throws Error unless each int8 tensor has its scales and each tensor of scales its int8 tensor.
void check_scales(const std::vector<TensorPlace>& places) {
  std::unordered_map<std::string, std::int64_t> wanted;  // channels, by the name of the scales
  for (const TensorPlace& place : places) {
    if (place.dtype != name_of(DType::i8)) continue;
    if (place.shape.size() < 2) {
      throw Error("tensor " + quoted(place.name) + ": only convolutions and linear layers can be I8");
    }
    wanted.emplace(scale_name(place.name), place.shape[0]);
  }
  for (const TensorPlace& place : places) {
    if (!is_scale(place)) continue;
    const auto channels = wanted.find(place.name);
    if (channels == wanted.end()) {
      throw Error("tensor " + quoted(place.name) + ": belongs to no I8 tensor, or comes twice");
    }
    if (place.dtype != name_of(DType::f32) || place.shape != std::vector<std::int64_t>{channels->second}) {
      throw Error("tensor " + quoted(place.name) + ": must be F32 of shape [" +
                  std::to_string(channels->second) + "], one scale per output channel");
    }
    wanted.erase(channels);
  }
  if (!wanted.empty())
    throw Error("tensor " + quoted(wanted.begin()->first) + ", the scales of an I8 tensor, is missing");
}

}  // namespace

void check_places(const ModelInfo& info, const std::vector<TensorPlace>& places) {
  check_scales(places);
  std::unordered_map<std::string, std::vector<std::int64_t>> missing;
  for (TensorSpec& spec : expected_tensors(info.architecture, info.classes.size())) {
    missing.emplace(std::move(spec.name), std::move(spec.shape));
  }
  for (const TensorPlace& place : places) {
    if (is_batch_counter(place) || is_scale(place)) continue;
    const auto expected = missing.find(place.name);
    const std::string what = "tensor " + quoted(place.name) + ": ";
    if (expected == missing.end()) {
      throw Error(what + "has no place in this architecture (" + info.architecture.backbone +
                  "), or comes twice");
    }
    if (place.shape != expected->second) {
      throw Error(what + "has shape " + shape_to_string(place.shape) + ", but the architecture needs " +
                  shape_to_string(expected->second));
    }
    if (!weight_dtype(place.dtype)) {
      throw Error(what + "has dtype " + place.dtype + ", but weights must be F32, F16, BF16 or I8");
    }
    missing.erase(expected);
  }
  if (!missing.empty()) {
    throw Error("tensor " + quoted(missing.begin()->first) + " is missing" +
                (missing.size() > 1 ? ", and " + std::to_string(missing.size() - 1) + " more" : ""));
  }
}

void check_values(const TensorView& tensor, double batch_norm_eps) {
  check_finite(tensor);
  if (!ends_with(tensor.name, ".running_var")) return;
  const std::vector<float> variances = to_f32(tensor);
  for (std::size_t i = 0; i < variances.size(); ++i) {
    if (variances[i] >= 0 && variances[i] + batch_norm_eps > 0) continue;
    throw Error("tensor " + quoted(tensor.name) + ": value " + std::to_string(i) + " is " +
                std::to_string(variances[i]) + ", no variance to divide by");
  }
}

std::string checksum_of(std::string_view document,
                        const std::vector<std::pair<const void*, std::size_t>>& data) {
  std::uint32_t sum = crc32(document.data(), document.size());
  for (const auto& [bytes, size] : data) sum = crc32(bytes, size, sum);
  constexpr const char* digits = "0123456789abcdef";
  std::string out;
  for (int shift = 28; shift >= 0; shift -= 4) out += digits[(sum >> static_cast<unsigned>(shift)) & 15U];
  return out;
}

}  // namespace smearscope
