#include <cmath>
#include <cstring>

#include "model/tensor_values.h"
#include "network/cuda/convolution.h"

namespace smearscope::network {
namespace {

void upload(const std::vector<float>& values, ops::Element element, const std::string& name,
            DeviceMemory& memory) {
  if (element == ops::Element::f32) return memory.upload(values);
  constexpr float largest = 65504;
  std::vector<std::uint16_t> halves;
  halves.reserve(values.size());
  for (const float value : values) {
    if (!(std::abs(value) <= largest))
      throw Error("weights of " + name + " are too large for precision f16; use f32");
    halves.push_back(f16_from_f32(value));
  }
  memory.upload(halves);
}

std::vector<float> padded(const std::vector<float>& bias, int count) {
  std::vector<float> result = bias;
  result.resize(static_cast<std::size_t>(count));
  return result;
}

}  // namespace

DeviceWeights::DeviceWeights(const Convolution& convolution, ops::Element element)
    : in(ops::padded_channels(convolution.in_channels, element)),
      out(ops::padded_channels(convolution.out_channels, element)) {
  const int taps = convolution.kernel * convolution.kernel;
  std::vector<float> values(std::size_t{1} * out * taps * in);
  const float* source = convolution.weights.data();
  for (int o = 0; o < convolution.out_channels; ++o)
    for (int i = 0; i < convolution.in_channels; ++i)
      for (int tap = 0; tap < taps; ++tap) values[(std::size_t{1} * o * taps + tap) * in + i] = *source++;
  upload(values, element, convolution.name, weights);
  upload(padded(convolution.bias, out), element, convolution.name, bias);
}

DeviceWeights::DeviceWeights(const Linear& linear, int in_group, ops::Element element, ops::Element output)
    : in(linear.in_features / in_group * ops::padded_channels(in_group, element)),
      out(ops::padded_channels(linear.out_features, element)) {
  const int group = ops::padded_channels(in_group, element);
  std::vector<float> values(std::size_t{1} * out * in);
  const float* source = linear.weights.data();
  for (int o = 0; o < linear.out_features; ++o)
    for (int i = 0; i < linear.in_features; ++i)
      values[std::size_t{1} * o * in + std::size_t{1} * i / in_group * group + i % in_group] = *source++;
  upload(values, element, linear.name, weights);
  upload(padded(linear.bias, out), output, linear.name, bias);
}

}  // namespace smearscope::network
