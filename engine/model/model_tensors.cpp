#include "model/model_tensors.h"

#include <unordered_map>

#include "model/checksum.h"
#include "model/tensor_values.h"
#include "model/text.h"

namespace smearscope {
namespace {

bool ends_with(std::string_view text, std::string_view ending) {
  return text.size() >= ending.size() && text.substr(text.size() - ending.size()) == ending;
}

}  // namespace

std::optional<DType> weight_dtype(std::string_view word) {
  for (const DType dtype : {DType::f32, DType::f16, DType::bf16}) {
    if (word == name_of(dtype)) return dtype;
  }
  return std::nullopt;
}

bool is_batch_counter(const TensorPlace& place) {
  return place.dtype == "I64" && place.shape.empty() && ends_with(place.name, ".num_batches_tracked");
}

void check_places(const ModelInfo& info, const std::vector<TensorPlace>& places) {
  std::unordered_map<std::string, std::vector<std::int64_t>> missing;
  for (TensorSpec& spec : expected_tensors(info.architecture, info.classes.size())) {
    missing.emplace(std::move(spec.name), std::move(spec.shape));
  }
  for (const TensorPlace& place : places) {
    if (is_batch_counter(place)) continue;
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
      throw Error(what + "has dtype " + place.dtype + ", but weights must be F32, F16 or BF16");
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
