// How activations are stored on their way through oneDNN: as floats, or as whole numbers of steps.
#pragma once

#include <dnnl.hpp>
#include <string>
#include <vector>

#include "model/quantisation.h"
#include "smearscope/detector.h"

namespace smearscope::network {

// What a stored number means: number * scale.
struct NumberType {
  dnnl::memory::data_type type = dnnl::memory::data_type::f32;
  float scale = 1;
};

// For activations of magnitude `range` at most, none of them below 0 if `non_negative`. int8 stores steps of
// a 255th (non_negative) or a 127th of the range, and what is outside as the last step; the others take no
// notice of it.
NumberType number_type(Precision precision, float range, bool non_negative);

// A layer's weights as int8, with a scale per output channel that can be divided by: where weights are so
// small that it couldn't (dead channels), the numbers are 0 and the scale is 1. Throws Error, naming the
// layer, if one is not finite, as folding batch norm may leave it.
Quantised quantise_layer(const std::string& layer, const std::vector<float>& weights, int out_channels);

// Whether this processor has the instructions for `precision`: f32 always; bf16 with AVX-512 BF16 or AMX;
// int8 with VNNI, without which oneDNN's sums of products may overflow; f16 and automatic never.
bool processor_computes_in(Precision precision);

}  // namespace smearscope::network
