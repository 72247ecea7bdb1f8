// Four kernels. All anchors are read once, by the whole device: their order keys and a histogram of the keys'
// upper 12 bits, per level. The histogram tells which anchors can be among the best; they go into a list,
// which is short unless nearly all scores are alike. One block per level and image then selects, sorts,
// decodes and thins; one block per image merges the levels.
#include "ops/block_nms.h"
#include "ops/block_top_k.h"
#include "ops/box_coder.h"
#include "ops/proposals.h"
#include "ops/top_k.h"

namespace smearscope::ops {
namespace {

constexpr unsigned scan_threads = 256;
constexpr unsigned most_scan_blocks = 128;  // per level and image
constexpr unsigned bins = 4096;
constexpr int bin_shift = 32 - 12;

// What all kernels here get.
struct Job {
  DeviceRpn rpn;
  const Size* resized;
  DeviceProposalScratch scratch;
  unsigned pre_nms, post_nms;
  float nms_threshold;
};

__device__ unsigned anchor_count(const DeviceRpn& rpn, unsigned level) {
  const Size grid = rpn.levels[level].grid;
  return static_cast<unsigned>(grid.width) * grid.height * rpn.cell_count;
}

__device__ float read_element(const void* data, Element element, std::size_t index) {
  if (element == Element::f32) return static_cast<const float*>(data)[index];
  return static_cast<float>(static_cast<const Half*>(data)[index]);
}

// Index of channel 0 at an anchor's position.
__device__ std::size_t position_of(const DeviceRpn& rpn, unsigned level, unsigned image, unsigned anchor) {
  const Size grid = rpn.levels[level].grid;
  const std::size_t positions = std::size_t{1} * grid.width * grid.height;
  return (image * positions + anchor / rpn.cell_count) * rpn.channels;
}

__device__ std::size_t list_of(unsigned image, unsigned level) {
  return std::size_t{image} * pyramid_levels + level;
}

__device__ std::size_t anchors_of(const DeviceRpn& rpn, unsigned image, unsigned level) {
  return std::size_t{image} * rpn.anchors + rpn.levels[level].first_anchor;
}

// Grid: blocks, levels, images.
__global__ void order_keys_kernel(Job job) {
  __shared__ unsigned histogram[bins];
  const unsigned level = blockIdx.y, image = blockIdx.z;
  for (unsigned i = threadIdx.x; i < bins; i += blockDim.x) histogram[i] = 0;
  __syncthreads();
  std::uint32_t* keys = job.scratch.order_keys + anchors_of(job.rpn, image, level);
  const unsigned count = anchor_count(job.rpn, level);
  for (unsigned i = blockIdx.x * blockDim.x + threadIdx.x; i < count; i += gridDim.x * blockDim.x) {
    const std::size_t logit = position_of(job.rpn, level, image, i) + i % job.rpn.cell_count;
    keys[i] = order_key(read_element(job.rpn.levels[level].outputs, job.rpn.element, logit));
    atomicAdd(&histogram[keys[i] >> bin_shift], 1U);
  }
  __syncthreads();
  unsigned* total = job.scratch.histograms + list_of(image, level) * bins;
  for (unsigned i = threadIdx.x; i < bins; i += blockDim.x)
    if (histogram[i] > 0) atomicAdd(&total[i], histogram[i]);
}

// The lowest bin that holds one of the `wanted` largest keys; 0 if there are fewer keys.
__device__ unsigned block_lowest_bin(const unsigned* histogram, unsigned wanted, unsigned* counts,
                                     unsigned* sums, unsigned& result) {
  constexpr unsigned each = bins / scan_threads;
  const unsigned first = threadIdx.x * each;
  unsigned own = 0;
  for (unsigned i = first; i < first + each; ++i) own += histogram[i];
  counts[threadIdx.x] = own;
  if (threadIdx.x == 0) result = 0;
  __syncthreads();
  block_suffix_sums(counts, sums, scan_threads);
  unsigned above = sums[threadIdx.x] - own;
  if (above < wanted && sums[threadIdx.x] >= wanted) {
    unsigned bin = first + each - 1;
    for (; above + histogram[bin] < wanted; --bin) above += histogram[bin];
    result = bin;
  }
  __syncthreads();
  return result;
}

// Grid: blocks, levels, images.
__global__ void candidates_kernel(Job job) {
  __shared__ unsigned counts[scan_threads], sums[scan_threads], lowest;
  const unsigned level = blockIdx.y, image = blockIdx.z;
  const unsigned* histogram = job.scratch.histograms + list_of(image, level) * bins;
  const unsigned bin = block_lowest_bin(histogram, job.pre_nms, counts, sums, lowest);
  const std::uint32_t* keys = job.scratch.order_keys + anchors_of(job.rpn, image, level);
  Key* candidates = job.scratch.candidates + anchors_of(job.rpn, image, level);
  unsigned* filled = job.scratch.candidate_counts + list_of(image, level);
  const unsigned count = anchor_count(job.rpn, level);
  for (unsigned i = blockIdx.x * blockDim.x + threadIdx.x; i < count; i += gridDim.x * blockDim.x)
    if (keys[i] >> bin_shift >= bin) candidates[atomicAdd(filled, 1U)] = make_key(keys[i], i);
}

__device__ Box decode_anchor(const Job& job, unsigned level, unsigned image, unsigned anchor) {
  const DeviceRpn& rpn = job.rpn;
  const unsigned cell = anchor % rpn.cell_count;
  const std::size_t first = position_of(rpn, level, image, anchor) + rpn.cell_count + std::size_t{4} * cell;
  float deltas[4];
  for (int i = 0; i < 4; ++i) deltas[i] = read_element(rpn.levels[level].outputs, rpn.element, first + i);
  const Box reference = anchor_at(rpn.levels[level].cells[cell], static_cast<int>(anchor / rpn.cell_count),
                                  rpn.levels[level].grid.width, rpn.levels[level].stride);
  return clip_box(decode_box(reference, deltas, rpn_coder), job.resized[image]);
}

// Decodes the sorted anchors and leaves out boxes that are too small: boxes[0..result) in order, and
// shared.best[] then starts with their keys. Each thread takes most_sorted / top_k_threads neighbours, whose
// boxes it holds meanwhile.
__device__ unsigned block_decode(const Job& job, unsigned level, unsigned image, unsigned count,
                                 TopKShared& shared, unsigned* sizes, unsigned* sums, Box* boxes) {
  constexpr unsigned each = most_sorted / top_k_threads;
  Box own[each];
  Key own_keys[each];
  unsigned own_count = 0;
  for (unsigned i = threadIdx.x * each; i < threadIdx.x * each + each && i < count; ++i) {
    const Box box = decode_anchor(job, level, image, index_of_key(shared.best[i]));
    if (!is_at_least(box, smallest_proposal_side)) continue;
    own[own_count] = box;
    own_keys[own_count++] = shared.best[i];
  }
  sizes[threadIdx.x] = own_count;
  __syncthreads();
  block_suffix_sums(sizes, sums, top_k_threads);
  const unsigned before = sums[0] - sums[threadIdx.x];
  for (unsigned i = 0; i < own_count; ++i) {
    boxes[before + i] = own[i];
    shared.best[before + i] = own_keys[i];
  }
  __syncthreads();
  return sums[0];
}

// Grid: levels, images.
__global__ void level_kernel(Job job) {
  __shared__ TopKShared top;
  __shared__ NmsShared nms;
  const unsigned level = blockIdx.x, image = blockIdx.y;
  const std::size_t list = list_of(image, level);
  Box* boxes = job.scratch.boxes + list * job.pre_nms;
  const unsigned best = block_top_k(job.scratch.candidates + anchors_of(job.rpn, image, level),
                                    job.scratch.candidate_counts[list], job.pre_nms, top);
  // NMS writes nms.kept some barriers later: until then it has room for two numbers per thread.
  static_assert(sizeof(nms.kept) >= 2 * top_k_threads * sizeof(unsigned), "see above");
  auto* const sizes = reinterpret_cast<unsigned*>(&nms.kept);
  const unsigned valid = block_decode(job, level, image, best, top, sizes, sizes + top_k_threads, boxes);
  const unsigned kept = block_nms(boxes, valid, job.nms_threshold, job.post_nms, nms);

  Key* survivors = job.scratch.survivors + list * job.pre_nms;
  for (unsigned rank = threadIdx.x; rank < job.pre_nms; rank += blockDim.x) {
    Key key = 0;
    if (rank < kept) {
      const float score = objectness(value_of_key(order_of_key(top.best[nms.kept[rank]])));
      key = make_key(order_key(score), level * job.pre_nms + nms.kept[rank]);
    }
    survivors[rank] = key;
  }
  if (threadIdx.x == 0) job.scratch.survivor_counts[list] = kept;
}

// Grid: images.
__global__ void merge_kernel(Job job, Box* proposals, int* counts) {
  __shared__ TopKShared top;
  const unsigned image = blockIdx.x;
  unsigned survivors = 0;
  for (unsigned level = 0; level < pyramid_levels; ++level)
    survivors += job.scratch.survivor_counts[list_of(image, level)];
  const std::size_t first = std::size_t{image} * pyramid_levels * job.pre_nms;
  const unsigned best = block_top_k(job.scratch.survivors + first, pyramid_levels * job.pre_nms,
                                    smaller(survivors, job.post_nms), top);
  for (unsigned i = threadIdx.x; i < best; i += blockDim.x)
    proposals[std::size_t{image} * job.post_nms + i] = job.scratch.boxes[first + index_of_key(top.best[i])];
  if (threadIdx.x == 0) counts[image] = static_cast<int>(best);
}

}  // namespace

DeviceProposalScratch DeviceProposalScratch::take(DeviceBlock& block, int images, int anchors,
                                                  const Architecture& architecture) {
  const std::size_t lists = std::size_t{1} * images * pyramid_levels;
  const std::size_t ranks = lists * architecture.rpn_pre_nms_top_n;
  DeviceProposalScratch scratch;
  scratch.order_keys = block.take<std::uint32_t>(std::size_t{1} * images * anchors);
  scratch.histograms = block.take<unsigned>(lists * (bins + 1));
  scratch.candidate_counts = scratch.histograms ? scratch.histograms + lists * bins : nullptr;
  scratch.candidates = block.take<Key>(std::size_t{1} * images * anchors);
  scratch.boxes = block.take<Box>(ranks);
  scratch.survivors = block.take<Key>(ranks);
  scratch.survivor_counts = block.take<unsigned>(lists);
  return scratch;
}

void propose_cuda(const DeviceRpn& rpn, const Size* resized, int images, const Architecture& architecture,
                  const DeviceProposalScratch& scratch, Box* proposals, int* counts, DeviceStream stream) {
  const Job job{rpn,
                resized,
                scratch,
                static_cast<unsigned>(architecture.rpn_pre_nms_top_n),
                static_cast<unsigned>(architecture.rpn_post_nms_top_n),
                round_down(architecture.rpn_nms_threshold)};
  const auto batch = static_cast<unsigned>(images);
  const unsigned lists = batch * pyramid_levels;
  zero(scratch.histograms, std::size_t{lists} * (bins + 1) * sizeof(unsigned), stream);
  const Size largest = rpn.levels[0].grid;
  const std::size_t most_anchors = std::size_t{1} * largest.width * largest.height * rpn.cell_count;
  const dim3 scan(blocks_for(most_anchors, scan_threads, most_scan_blocks), pyramid_levels, batch);
  launch(order_keys_kernel, scan, scan_threads, stream, job);
  launch(candidates_kernel, scan, scan_threads, stream, job);
  launch(level_kernel, dim3(pyramid_levels, batch), top_k_threads, stream, job);
  launch(merge_kernel, dim3(batch), top_k_threads, stream, job, proposals, counts);
}

}  // namespace smearscope::ops
