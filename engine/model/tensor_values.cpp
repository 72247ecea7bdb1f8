#include "model/tensor_values.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "model/text.h"

namespace smearscope {
namespace {

std::uint32_t bits_of(float value) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

float float_of(std::uint32_t bits) {
  float value = 0;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

// Branch-free, so that a loop over it becomes vector code on any CPU, and right with denormals flushed to
// zero too: a subnormal half m x 2^-24 is put behind the leading one of 2^-14, and 2^-14 subtracted again.
float f32_from_f16(std::uint16_t half) {
  const std::uint32_t sign = (half & 0x8000U) << 16U;
  const std::uint32_t magnitude = half & 0x7FFFU;
  const std::uint32_t rebias = (127U - 15U) << 23U;
  const std::uint32_t normal = (magnitude << 13U) + rebias;
  const std::uint32_t infinite = normal + rebias;  // exponent 31 becomes 255
  const std::uint32_t subnormal = bits_of(float_of(normal + (1U << 23U)) - float_of(113U << 23U));
  const std::uint32_t finite = magnitude < 0x0400U ? subnormal : normal;
  return float_of(sign | (magnitude >= 0x7C00U ? infinite : finite));
}

float f32_from_bf16(std::uint16_t value) {
  return float_of(static_cast<std::uint32_t>(value) << 16U);
}

template <typename Stored>
const Stored* values_of(const TensorView& tensor) {
  return static_cast<const Stored*>(tensor.data);
}

// Index of the first value whose exponent bits are all ones, `count` if there is none. Blocks keep the search
// at memory speed.
template <typename Stored>
std::size_t find_not_finite(const Stored* values, std::size_t count, Stored exponent) {
  constexpr std::size_t block = 4096;
  for (std::size_t start = 0; start < count; start += block) {
    const std::size_t end = std::min(start + block, count);
    Stored any = 0;
    for (std::size_t i = start; i < end; ++i) any |= static_cast<Stored>((values[i] & exponent) == exponent);
    if (any == 0) continue;
    return static_cast<std::size_t>(
        std::find_if(values + start, values + end, [=](Stored v) { return (v & exponent) == exponent; }) -
        values);
  }
  return count;
}

std::size_t find_not_finite(const TensorView& tensor, std::size_t count) {
  switch (tensor.dtype) {
    case DType::f32:
      return find_not_finite<std::uint32_t>(values_of<std::uint32_t>(tensor), count, 0x7F800000U);
    case DType::f16:
      return find_not_finite<std::uint16_t>(values_of<std::uint16_t>(tensor), count, 0x7C00U);
    case DType::bf16:
      return find_not_finite<std::uint16_t>(values_of<std::uint16_t>(tensor), count, 0x7F80U);
    case DType::i8:
      break;
  }
  return count;
}

template <typename Stored>
std::vector<std::uint8_t> bytes_of(const std::vector<Stored>& values) {
  std::vector<std::uint8_t> bytes(values.size() * sizeof(Stored));
  if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

}  // namespace

std::size_t size_of(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return 4;
    case DType::f16:
    case DType::bf16:
      return 2;
    case DType::i8:
      break;
  }
  return 1;
}

const char* name_of(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return "F32";
    case DType::f16:
      return "F16";
    case DType::bf16:
      return "BF16";
    case DType::i8:
      break;
  }
  return "I8";
}

std::uint16_t f16_from_f32(float value) {
  const std::uint32_t bits = bits_of(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16U) & 0x8000U);
  const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
  if (magnitude > 0x7F800000U) return sign | 0x7E00U;   // NaN
  if (magnitude >= 0x477FF000U) return sign | 0x7C00U;  // 65520 and above round to infinity
  if (magnitude < 0x38800000U) {                        // below 2^-14: a multiple of 2^-24
    // Adding 0.5, whose last place is 2^-24, lets the float addition round to nearest even.
    const std::uint32_t rounded = bits_of(float_of(magnitude) + 0.5F) - bits_of(0.5F);
    return static_cast<std::uint16_t>(sign | rounded);
  }
  const std::uint32_t odd = (magnitude >> 13U) & 1U;
  const std::uint32_t rounded = magnitude - ((127U - 15U) << 23U) + 0x0FFFU + odd;
  return static_cast<std::uint16_t>(sign | (rounded >> 13U));
}

std::uint16_t bf16_from_f32(float value) {
  const std::uint32_t bits = bits_of(value);
  if ((bits & 0x7FFFFFFFU) > 0x7F800000U) return static_cast<std::uint16_t>((bits >> 16U) | 0x0040U);  // NaN
  return static_cast<std::uint16_t>((bits + 0x7FFFU + ((bits >> 16U) & 1U)) >> 16U);
}

std::int64_t element_count(const std::vector<std::int64_t>& shape) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) count *= size;
  return count;
}

std::string shape_to_string(const std::vector<std::int64_t>& shape) {
  std::string out = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) out += (i > 0 ? ", " : "") + std::to_string(shape[i]);
  return out + "]";
}

void check_finite(const TensorView& tensor) {
  const std::size_t count = tensor.bytes / size_of(tensor.dtype);
  const std::size_t index = find_not_finite(tensor, count);
  if (index == count) return;
  const bool nan =
      std::isnan(to_f32({tensor.name,
                         tensor.dtype,
                         {1},
                         static_cast<const std::uint8_t*>(tensor.data) + index * size_of(tensor.dtype),
                         size_of(tensor.dtype)})[0]);
  throw Error("tensor " + quoted(tensor.name) + ": value " + std::to_string(index) + " is " +
              (nan ? "NaN" : "infinite"));
}

std::vector<float> to_f32(const TensorView& tensor) {
  const std::size_t count = tensor.bytes / size_of(tensor.dtype);
  std::vector<float> out(count);
  switch (tensor.dtype) {
    case DType::f32:
      if (count > 0) std::memcpy(out.data(), tensor.data, tensor.bytes);
      break;
    case DType::f16:
      std::transform(values_of<std::uint16_t>(tensor), values_of<std::uint16_t>(tensor) + count, out.begin(),
                     f32_from_f16);
      break;
    case DType::bf16:
      std::transform(values_of<std::uint16_t>(tensor), values_of<std::uint16_t>(tensor) + count, out.begin(),
                     f32_from_bf16);
      break;
    case DType::i8:
      std::copy_n(values_of<std::int8_t>(tensor), count, out.begin());
      break;
  }
  return out;
}

std::vector<std::uint8_t> store_as(const TensorView& tensor, DType dtype) {
  const std::vector<float> values = to_f32(tensor);
  if (dtype == DType::f32) return bytes_of(values);
  if (dtype == DType::i8) throw Error("int8 needs scales: see quantise");
  std::vector<std::uint16_t> stored(values.size());
  std::transform(values.begin(), values.end(), stored.begin(),
                 dtype == DType::f16 ? f16_from_f32 : bf16_from_f32);
  std::vector<std::uint8_t> bytes = bytes_of(stored);
  const std::size_t index =
      find_not_finite({tensor.name, dtype, tensor.shape, bytes.data(), bytes.size()}, values.size());
  if (index < values.size()) {
    throw Error("tensor " + quoted(tensor.name) + ": value " + std::to_string(index) + " (" +
                std::to_string(values[index]) + ") is too large for " + name_of(dtype) +
                (dtype == DType::f16 ? "; bf16 has the range of f32" : ""));
  }
  return bytes;
}

}  // namespace smearscope
