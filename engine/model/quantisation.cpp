#include "model/quantisation.h"

#include <algorithm>
#include <cmath>

namespace smearscope {

std::string scale_name(const std::string& name) {
  return name + ".scale";
}

Quantised quantise(const TensorView& tensor) {
  const std::vector<float> values = to_f32(tensor);
  const auto channels = static_cast<std::size_t>(tensor.shape.at(0));
  const std::size_t each = values.size() / channels;
  constexpr float largest = 127;
  Quantised quantised;
  quantised.values.reserve(values.size());
  for (std::size_t channel = 0; channel < channels; ++channel) {
    const float* const begin = values.data() + channel * each;
    float magnitude = 0;
    for (std::size_t i = 0; i < each; ++i) magnitude = std::max(magnitude, std::abs(begin[i]));
    const float scale = magnitude / largest;
    quantised.scales.push_back(scale);
    for (std::size_t i = 0; i < each; ++i) {
      const float steps = scale > 0 ? std::nearbyint(begin[i] / scale) : 0;
      quantised.values.push_back(static_cast<std::int8_t>(std::clamp(steps, -largest, largest)));
    }
  }
  return quantised;
}

std::vector<float> dequantise(const TensorView& tensor, const TensorView& scale) {
  const std::vector<float> scales = to_f32(scale);
  std::vector<float> values = to_f32(tensor);
  const std::size_t each = values.size() / scales.size();
  for (std::size_t i = 0; i < values.size(); ++i) values[i] *= scales[i / each];
  return values;
}

}  // namespace smearscope
