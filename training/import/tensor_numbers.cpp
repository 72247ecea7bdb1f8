#include "import/tensor_numbers.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "model/tensor_values.h"

namespace smearscope::checkpoint {
namespace {

bool is_dense(const Tensor& tensor) {
  std::int64_t stride = 1;
  for (std::size_t d = tensor.shape.size(); d-- > 0;) {
    if (tensor.shape[d] != 1 && tensor.strides[d] != stride) return false;
    stride *= tensor.shape[d];
  }
  return true;
}

// The tensor's elements in row-major order, little-endian.
std::vector<char> gather(const Tensor& tensor, const char* storage, std::size_t element, bool swap) {
  const std::size_t dimensions = tensor.shape.size();
  std::vector<char> dense(static_cast<std::size_t>(element_count(tensor.shape)) * element);
  if (is_dense(tensor) && !swap) {
    if (!dense.empty()) std::memcpy(dense.data(), storage + tensor.offset * element, dense.size());
    return dense;
  }
  std::vector<std::int64_t> index(dimensions, 0);
  std::uint64_t place = tensor.offset;
  for (std::size_t at = 0; at < dense.size(); at += element) {
    std::memcpy(dense.data() + at, storage + place * element, element);
    if (swap) std::reverse(dense.data() + at, dense.data() + at + element);
    for (std::size_t d = dimensions; d-- > 0;) {  // the last index runs fastest
      const auto stride = static_cast<std::uint64_t>(tensor.strides[d]);
      place += stride;
      if (++index[d] < tensor.shape[d]) break;
      place -= stride * static_cast<std::uint64_t>(tensor.shape[d]);
      index[d] = 0;
    }
  }
  return dense;
}

float f32_from_f64(double value) {
  if (std::abs(value) > std::numeric_limits<float>::max()) {
    // Halfway to the next power of two and above rounds to infinity.
    constexpr double half_step = 0x1p103;
    const bool rounds_down =
        std::abs(value) < static_cast<double>(std::numeric_limits<float>::max()) + half_step;
    const float magnitude =
        rounds_down ? std::numeric_limits<float>::max() : std::numeric_limits<float>::infinity();
    return std::copysign(magnitude, static_cast<float>(std::signbit(value) ? -1 : 1));
  }
  return static_cast<float>(value);  // NaN too
}

std::vector<float> from_f64(const std::vector<char>& bytes) {
  std::vector<float> numbers(bytes.size() / sizeof(double));
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    double value = 0;
    std::memcpy(&value, bytes.data() + i * sizeof value, sizeof value);
    numbers[i] = f32_from_f64(value);
  }
  return numbers;
}

}  // namespace

std::vector<float> numbers_of(const Tensor& tensor, std::string_view storage, bool big_endian) {
  const Element& element = *tensor.storage.element;
  if (element.format == NumberFormat::other) {
    throw Error(std::string("holds ") + element.name +
                "; weights must be float32, float64, float16 or bfloat16");
  }
  const std::vector<char> dense = gather(tensor, storage.data(), element.bytes, big_endian);
  if (element.format == NumberFormat::f64) return from_f64(dense);
  const DType dtype = element.format == NumberFormat::f32   ? DType::f32
                      : element.format == NumberFormat::f16 ? DType::f16
                                                            : DType::bf16;
  return to_f32({"", dtype, tensor.shape, dense.data(), dense.size()});
}

}  // namespace smearscope::checkpoint
