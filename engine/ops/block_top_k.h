// The k largest of n keys, by one block of threads. For kernels.
#pragma once

#include <cstdint>

#include "ops/host_device.h"
#include "ops/kernel.h"

namespace smearscope::ops {

using Key = unsigned long long;  // no two alike in one list: an order key above, an index below

// In shared memory. `best` holds the result.
struct TopKShared {
  Key best[most_sorted];
  unsigned counts[256];
  unsigned sums[256];
  unsigned digit, found;
};

inline constexpr unsigned top_k_threads = 1024;

// sums[i] = values[i] + values[i + 1] + ... + values[count - 1]. All threads of the block call it, and may
// read the sums when it returns. count is at most the number of threads.
__device__ inline void block_suffix_sums(const unsigned* values, unsigned* sums, unsigned count) {
  const unsigned i = threadIdx.x;
  if (i < count) sums[i] = values[i];
  __syncthreads();
  for (unsigned step = 1; step < count; step *= 2) {
    const unsigned more = i + step < count ? sums[i + step] : 0;
    __syncthreads();
    if (i < count) sums[i] += more;
    __syncthreads();
  }
}

// The k-th largest of keys[0..count): at least this are exactly k of them. 1 <= k <= count. Radix selection
// from the highest byte down; ends as soon as all keys that share the bytes so far belong to the k.
__device__ inline Key block_kth_largest(const Key* keys, unsigned count, unsigned k, TopKShared& shared) {
  if (k == count) return 0;
  Key prefix = 0;
  unsigned wanted = k;  // of the keys that start with `prefix`
  for (int shift = 56; shift >= 0; shift -= 8) {
    const Key above = shift == 56 ? 0 : ~Key{0} << (shift + 8);
    for (unsigned i = threadIdx.x; i < 256; i += blockDim.x) shared.counts[i] = 0;
    __syncthreads();
    for (unsigned i = threadIdx.x; i < count; i += blockDim.x)
      if ((keys[i] & above) == prefix) atomicAdd(&shared.counts[(keys[i] >> shift) & 255], 1U);
    __syncthreads();
    block_suffix_sums(shared.counts, shared.sums, 256);
    for (unsigned i = threadIdx.x; i < 256; i += blockDim.x) {
      const unsigned higher = i == 255 ? 0 : shared.sums[i + 1];
      if (higher < wanted && shared.sums[i] >= wanted) shared.digit = i;
    }
    __syncthreads();
    const unsigned digit = shared.digit;
    prefix |= Key{digit} << shift;
    wanted -= digit == 255 ? 0 : shared.sums[digit + 1];
    const bool complete = wanted == shared.counts[digit];
    __syncthreads();  // before the next round writes what was just read
    if (complete) break;
  }
  return prefix;
}

// Sorts shared.best[0..count), count a power of two, largest first (bitonic sort).
__device__ inline void block_sort(TopKShared& shared, unsigned count) {
  for (unsigned size = 2; size <= count; size *= 2)
    for (unsigned step = size / 2; step > 0; step /= 2) {
      __syncthreads();
      for (unsigned pair = threadIdx.x; pair < count / 2; pair += blockDim.x) {
        const unsigned low = pair / step * 2 * step + pair % step, high = low + step;
        const Key a = shared.best[low], b = shared.best[high];
        const bool falling = (low & size) == 0;
        if (falling ? a < b : b < a) {
          shared.best[low] = b;
          shared.best[high] = a;
        }
      }
    }
  __syncthreads();
}

// shared.best[0..result) = the min(k, count) largest of keys[0..count), in device memory, largest first. k is
// at most most_sorted; key 0 does not occur unless it is not among the k. All threads of the block call it.
__device__ inline unsigned block_top_k(const Key* keys, unsigned count, unsigned k, TopKShared& shared) {
  k = smaller(k, count);
  if (k == 0) return 0;
  const Key least = block_kth_largest(keys, count, k, shared);
  unsigned rounded = 1;
  while (rounded < k) rounded *= 2;
  if (threadIdx.x == 0) shared.found = 0;
  for (unsigned i = k + threadIdx.x; i < rounded; i += blockDim.x) shared.best[i] = 0;
  __syncthreads();
  for (unsigned i = threadIdx.x; i < count; i += blockDim.x)
    if (keys[i] >= least) shared.best[atomicAdd(&shared.found, 1U)] = keys[i];
  __syncthreads();
  block_sort(shared, rounded);
  return k;
}

// A key that orders by `order`, then by falling index.
__device__ inline Key make_key(std::uint32_t order, std::uint32_t index) {
  return Key{order} << 32 | std::uint32_t(~index);
}
__device__ inline std::uint32_t order_of_key(Key key) {
  return static_cast<std::uint32_t>(key >> 32);
}
__device__ inline std::uint32_t index_of_key(Key key) {
  return ~static_cast<std::uint32_t>(key);
}

}  // namespace smearscope::ops
