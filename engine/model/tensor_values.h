// The numbers inside tensors: conversions between storage types, and whether they are finite.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "smearscope/model.h"

namespace smearscope {

// IEEE 754 binary16 and bfloat16 from binary32, rounded to nearest, ties to even; too large becomes infinity.
std::uint16_t f16_from_f32(float value);
std::uint16_t bf16_from_f32(float value);

// Product of the dimensions; 1 for an empty shape. The caller has checked that it does not overflow.
std::int64_t element_count(const std::vector<std::int64_t>& shape);

std::string shape_to_string(const std::vector<std::int64_t>& shape);  // "[64, 3, 7, 7]"

// Throws Error naming the tensor and the first NaN or infinite value. i8 tensors pass.
void check_finite(const TensorView& tensor);

// The bytes of `tensor` stored as `dtype` (f32, f16 or bf16). Throws Error if a value is too large for it.
std::vector<std::uint8_t> store_as(const TensorView& tensor, DType dtype);

}  // namespace smearscope
