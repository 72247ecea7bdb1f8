// The k largest of n numbers, in a fixed order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "ops/host_device.h"

namespace smearscope::ops {

// Orders as `value` does; -0 is below +0. NaNs are all alike, below everything else, so that any input sorts.
SMEARSCOPE_HOST_DEVICE inline std::uint32_t order_key(float value) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof(bits));
  const std::uint32_t sign = 0x80000000U;
  if ((bits & ~sign) > 0x7F800000U) return 0;
  return bits & sign ? ~bits : bits | sign;
}

// The value of which `key` is the order key; a NaN for 0.
SMEARSCOPE_HOST_DEVICE inline float value_of_key(std::uint32_t key) {
  const std::uint32_t sign = 0x80000000U;
  const std::uint32_t bits = key & sign ? key & ~sign : ~key;
  float value = 0;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

// Indices of the min(k, count) largest of values[0], values[stride], ..., largest first; equal values by
// rising index. `keys` is scratch. O(count + k log k).
void top_k(const float* values, std::size_t count, std::ptrdiff_t stride, std::size_t k,
           std::vector<std::uint64_t>& keys, std::vector<std::uint32_t>& indices);

}  // namespace smearscope::ops
