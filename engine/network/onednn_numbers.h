// How activations are stored on their way through oneDNN: as floats, or as whole numbers of steps.
#pragma once

#include <dnnl.hpp>

#include "smearscope/detector.h"

namespace smearscope::network {

// What a stored number means: number * scale.
struct NumberType {
  dnnl::memory::data_type type = dnnl::memory::data_type::f32;
  float scale = 1;
};

// For activations of magnitude `range` at most, none of them below 0 if `positive`. int8 stores steps of a
// 255th (positive) or a 127th of the range, and shows what is outside as the range; the others take no notice
// of it.
NumberType number_type(Precision precision, float range, bool positive);

// Whether this processor computes in `precision` as fast as it should be: f32 always; bf16 with AVX-512 BF16
// or AMX; int8 with VNNI, without which oneDNN's sums of products may overflow; f16 never.
bool processor_computes_in(Precision precision);

}  // namespace smearscope::network
