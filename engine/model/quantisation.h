// Weights as int8: value = int8 x scale, with one scale per output channel (first index). For small files,
// of which the reader makes f32, and for networks that run in int8.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "smearscope/model.h"

namespace smearscope {

// The tensor that holds the scales of the int8 tensor `name`: f32, [channels].
std::string scale_name(const std::string& name);

struct Quantised {
  std::vector<std::int8_t> values;  // -127..127, rounded to nearest
  std::vector<float> scales;        // largest magnitude of a channel / 127; 0 where all its values are 0
};
Quantised quantise(const TensorView& tensor);

// `tensor` is i8, `scale` f32 with tensor.shape[0] values.
std::vector<float> dequantise(const TensorView& tensor, const TensorView& scale);

}  // namespace smearscope
