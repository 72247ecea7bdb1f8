// The k largest of n numbers, in a fixed order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace smearscope::ops {

// Orders as `value` does for all floats but NaN; -0 is below +0. NaNs order by their bits, beyond the
// infinities, so that any input sorts.
std::uint32_t order_key(float value);

// Indices of the min(k, count) largest of values[0], values[stride], ..., largest first; equal values by
// rising index. `keys` is scratch. O(count + k log k).
void top_k(const float* values, std::size_t count, std::ptrdiff_t stride, std::size_t k,
           std::vector<std::uint64_t>& keys, std::vector<std::uint32_t>& indices);

}  // namespace smearscope::ops
