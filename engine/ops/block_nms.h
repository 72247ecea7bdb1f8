// Non-maximum suppression by one block of threads. For kernels. Same result as nms_cpu (ops/nms.h).
#pragma once

#include "ops/block_top_k.h"
#include "ops/nms.h"

namespace smearscope::ops {

inline constexpr unsigned nms_chunk = 64;  // boxes that are decided upon together: one word of bits

// In shared memory. `kept` holds the result.
struct NmsShared {
  unsigned short kept[most_sorted];
  Key suppressed[most_sorted / nms_chunk];  // one bit per box
  Key overlaps[nms_chunk];  // per box of the chunk: those behind it in the chunk that it overlaps
  Box boxes[nms_chunk];     // of the chunk, the kept ones
  Key kept_bits;
};

// Bits of the chunk's pairs that overlap too much. `size` boxes are in the chunk.
__device__ inline void mark_overlaps_in_chunk(const Box* chunk, unsigned size, float threshold,
                                              NmsShared& shared) {
  for (unsigned i = threadIdx.x; i < nms_chunk; i += blockDim.x) shared.overlaps[i] = 0;
  __syncthreads();
  for (unsigned pair = threadIdx.x; pair < size * size; pair += blockDim.x) {
    const unsigned first = pair / size, second = pair % size;
    if (second <= first) continue;
    const Box a = chunk[first], b = chunk[second];
    if (overlap(a, area_of(a), b, area_of(b)) > threshold)
      atomicOr(&shared.overlaps[first], Key{1} << second);
  }
  __syncthreads();
}

// Which boxes of chunk number `chunk` stay, at most `room` of them: one after another, by one thread.
__device__ inline void choose_in_chunk(unsigned chunk, unsigned size, unsigned room, NmsShared& shared) {
  if (threadIdx.x == 0) {
    Key suppressed = shared.suppressed[chunk], kept = 0;
    unsigned count = 0;
    for (unsigned i = 0; i < size && count < room; ++i) {
      if (suppressed >> i & 1) continue;
      kept |= Key{1} << i;
      suppressed |= shared.overlaps[i];
      ++count;
    }
    shared.kept_bits = kept;
  }
  __syncthreads();
}

// The boxes chosen in a chunk, in shared.boxes, and where the boxes behind the chunk begin.
struct Chosen {
  unsigned behind, count;
};

// Suppresses the boxes behind a chunk that one of the chosen overlaps. Each thread has its own boxes, the
// same for all chunks; its bits in `gone` spare it those that are suppressed already.
__device__ inline void suppress_behind(const Box* boxes, unsigned count, float threshold, Chosen chosen,
                                       unsigned& gone, NmsShared& shared) {
  static_assert(most_sorted <= 32 * top_k_threads, "one bit per box of a thread");
  unsigned bit = 1;
  for (unsigned i = threadIdx.x; i < count; i += blockDim.x, bit *= 2) {
    if (i < chosen.behind || (gone & bit)) continue;
    const Box box = boxes[i];
    const float area = area_of(box);
    bool hit = false;
    for (unsigned other = 0; other < chosen.count && !hit; ++other)
      hit = overlap(shared.boxes[other], area_of(shared.boxes[other]), box, area) > threshold;
    if (!hit) continue;
    gone |= bit;
    atomicOr(&shared.suppressed[i / nms_chunk], Key{1} << (i % nms_chunk));
  }
}

// shared.kept[0..result) = indices of the boxes that nms_cpu keeps of boxes[0..count), which lie in device
// memory in order of falling score. count is at most most_sorted; `threshold` is rounded down to a float. All
// top_k_threads of the block call it, and may read the result when it returns.
__device__ inline unsigned block_nms(const Box* boxes, unsigned count, float threshold, unsigned max_kept,
                                     NmsShared& shared) {
  for (unsigned i = threadIdx.x; i < most_sorted / nms_chunk; i += blockDim.x) shared.suppressed[i] = 0;
  unsigned kept = 0, gone = 0;
  for (unsigned start = 0; start < count && kept < max_kept; start += nms_chunk) {
    const unsigned size = smaller(nms_chunk, count - start);
    mark_overlaps_in_chunk(boxes + start, size, threshold, shared);
    choose_in_chunk(start / nms_chunk, size, max_kept - kept, shared);
    const Key bits = shared.kept_bits;
    for (unsigned i = threadIdx.x; i < size; i += blockDim.x)
      if (bits >> i & 1) {
        const auto rank = static_cast<unsigned>(count_bits(bits & ((Key{1} << i) - 1)));
        shared.boxes[rank] = boxes[start + i];
        shared.kept[kept + rank] = static_cast<unsigned short>(start + i);
      }
    __syncthreads();
    const auto kept_here = static_cast<unsigned>(count_bits(bits));
    kept += kept_here;
    const Chosen chosen{start + nms_chunk, kept_here};
    suppress_behind(boxes, count, threshold, chosen, gone, shared);
    __syncthreads();
  }
  __syncthreads();
  return kept;
}

}  // namespace smearscope::ops
