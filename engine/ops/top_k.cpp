#include "ops/top_k.h"

#include <algorithm>
#include <functional>

namespace smearscope::ops {

void top_k(const float* values, std::size_t count, std::ptrdiff_t stride, std::size_t k,
           std::vector<std::uint64_t>& keys, std::vector<std::uint32_t>& indices) {
  // One number per value that orders by value, then by falling index, so that no two are equal.
  keys.resize(count);
  for (std::size_t i = 0; i < count; ++i, values += stride)
    keys[i] = static_cast<std::uint64_t>(order_key(*values)) << 32 | ~static_cast<std::uint32_t>(i);
  k = std::min(k, count);
  const auto middle = keys.begin() + static_cast<std::ptrdiff_t>(k);
  if (k < count) std::nth_element(keys.begin(), middle, keys.end(), std::greater<>());
  std::sort(keys.begin(), middle, std::greater<>());
  indices.resize(k);
  for (std::size_t i = 0; i < k; ++i) indices[i] = ~static_cast<std::uint32_t>(keys[i]);
}

}  // namespace smearscope::ops
