// What host code needs to name things on a CUDA device. Needs no CUDA header.
#pragma once

#include <cstddef>

struct CUstream_st;

namespace smearscope::ops {

using DeviceStream = CUstream_st*;  // cudaStream_t

// Type of activations and weights in device memory.
enum class Element { f32, f16 };

constexpr std::size_t size_of(Element element) {
  return element == Element::f32 ? 4 : 2;
}

// Activations on a device are channels last, with their channels padded to whole vectors of 16 bytes, which
// one instruction loads. What lies in the padding is 0.
constexpr int padded_channels(int channels, Element element) {
  const int vector = 16 / static_cast<int>(size_of(element));
  return (channels + vector - 1) / vector * vector;
}

// Boxes that one block of threads sorts and thins: the limit for proposals per level and image.
inline constexpr int most_sorted = 4096;

// A block of device memory handed out piece by piece. Made for a null block it only adds up the bytes.
class DeviceBlock {
 public:
  explicit DeviceBlock(void* memory = nullptr) : memory_(static_cast<char*>(memory)) {}

  // Room for `count` values, aligned to 256 bytes; null where the block is.
  template <typename T>
  T* take(std::size_t count) {
    char* place = memory_ ? memory_ + bytes_ : nullptr;
    bytes_ += (count * sizeof(T) + 255) / 256 * 256;
    return reinterpret_cast<T*>(place);
  }

  std::size_t bytes() const { return bytes_; }

 private:
  char* memory_;
  std::size_t bytes_ = 0;
};

}  // namespace smearscope::ops
