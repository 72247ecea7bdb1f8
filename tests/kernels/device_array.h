// Memory that kernels work on, for test bodies that run on a GPU and on the emulator: on the latter it is the
// host's.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include "model/tensor_values.h"
#include "ops/device.h"

#if !defined(SMEARSCOPE_EMULATED_KERNELS)
#include <cuda_runtime.h>

#include "smearscope/error.h"
#endif

namespace smearscope::testing {

inline constexpr int poison = 0xFF;  // as every byte: a NaN as f32 and f16, a wild index as a number

template <typename T>
class DeviceArray {
 public:
  // Poisoned.
  explicit DeviceArray(std::size_t count) : count_(count) { allocate(); }
  explicit DeviceArray(const std::vector<T>& values) : count_(values.size()) {
    allocate();
    copy(data_, values.data(), count_ * sizeof(T));
  }
  ~DeviceArray() { release(); }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;

  T* data() { return static_cast<T*>(data_); }
  std::size_t size() const { return count_; }

  // Waits for the device.
  std::vector<T> download() const {
    std::vector<T> values(count_);
    copy(values.data(), data_, count_ * sizeof(T));
    return values;
  }

 private:
#if defined(SMEARSCOPE_EMULATED_KERNELS)
  void allocate() {
    data_ = new char[count_ * sizeof(T)];  // exact, so that AddressSanitizer sees one byte too far
    std::memset(data_, poison, count_ * sizeof(T));
  }
  void release() {
    delete[] static_cast<char*>(data_);
  }
  static void copy(void* to, const void* from, std::size_t bytes) {
    if (bytes > 0) std::memcpy(to, from, bytes);
  }
#else
  static void check(cudaError_t status) {
    if (status != cudaSuccess) throw Error(cudaGetErrorString(status));
  }
  void allocate() {
    check(cudaMalloc(&data_, count_ * sizeof(T) + 1));
    check(cudaMemset(data_, poison, count_ * sizeof(T)));
  }
  void release() {
    cudaFree(data_);
  }
  static void copy(void* to, const void* from, std::size_t bytes) {
    check(cudaMemcpy(to, from, bytes, cudaMemcpyDefault));
  }
#endif

  std::size_t count_;
  void* data_ = nullptr;
};

// Values as the bytes of an element type, and back.
inline std::vector<std::uint8_t> to_bytes(const std::vector<float>& values, ops::Element element) {
  std::vector<std::uint8_t> bytes(values.size() * size_of(element));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint16_t half = f16_from_f32(values[i]);
    if (element == ops::Element::f32)
      std::memcpy(&bytes[4 * i], &values[i], 4);
    else
      std::memcpy(&bytes[2 * i], &half, 2);
  }
  return bytes;
}

inline std::vector<float> from_bytes(const std::vector<std::uint8_t>& bytes, ops::Element element) {
  const auto count = static_cast<std::int64_t>(bytes.size() / size_of(element));
  const DType dtype = element == ops::Element::f32 ? DType::f32 : DType::f16;
  return to_f32({"", dtype, {count}, bytes.data(), bytes.size()});
}

// The nearest values that the element type has.
inline std::vector<float> rounded(const std::vector<float>& values, ops::Element element) {
  return from_bytes(to_bytes(values, element), element);
}

inline const std::vector<ops::Element>& all_elements() {
  static const std::vector<ops::Element> elements{ops::Element::f32, ops::Element::f16};
  return elements;
}

}  // namespace smearscope::testing
