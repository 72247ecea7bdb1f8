// Three kernels: every proposal and class is scored, and those above the threshold go into the list of their
// class; one block per class and image sorts, decodes and thins its list; one block per image takes the best
// of all classes.
#include "ops/block_nms.h"
#include "ops/block_top_k.h"
#include "ops/box_coder.h"
#include "ops/postprocess.h"
#include "ops/top_k.h"

namespace smearscope::ops {
namespace {

constexpr unsigned score_threads = 256;

// What all kernels here get.
struct Job {
  const Box* proposals;
  const int* counts;
  unsigned proposals_each;
  const float* outputs;
  unsigned row_floats, classes;
  const DeviceSelection* selections;
  DevicePostprocessScratch scratch;
};

__device__ Box decode(const Job& job, unsigned image, unsigned label, unsigned proposal) {
  const std::size_t row = std::size_t{image} * job.proposals_each + proposal;
  const float* logits = job.outputs + row * job.row_floats;
  const int kind = likeliest_kind(logits, job.selections[image].kinds, static_cast<int>(label));
  const float* deltas = logits + (job.classes + 1) + std::ptrdiff_t{4} * (kind + 1);
  return clip_box(decode_box(job.proposals[row], deltas, box_head_coder), job.selections[image].resized);
}

__device__ std::size_t list_of(const Job& job, unsigned image, unsigned label) {
  return std::size_t{image} * job.classes + label;
}

// Grid: blocks, images. One thread per proposal and class; each sums the softmax for itself, which costs less
// than working together would.
__global__ void score_kernel(Job job) {
  const unsigned image = blockIdx.y;
  const DeviceSelection& selection = job.selections[image];
  const unsigned items = static_cast<unsigned>(job.counts[image]) * job.classes;
  for (unsigned i = blockIdx.x * blockDim.x + threadIdx.x; i < items; i += gridDim.x * blockDim.x) {
    const unsigned proposal = i / job.classes, label = i % job.classes;
    const float* logits = job.outputs + (std::size_t{image} * job.proposals_each + proposal) * job.row_floats;
    const float score =
        score_at(logits, static_cast<int>(job.classes) + 1, selection.kinds, static_cast<int>(label));
    if (!(score > selection.score_threshold)) continue;
    if (!is_at_least(decode(job, image, label, proposal), smallest_detection_side)) continue;
    const std::size_t list = list_of(job, image, label);
    const unsigned place = atomicAdd(&job.scratch.class_counts[list], 1U);
    job.scratch.class_keys[list * job.proposals_each + place] = make_key(order_key(score), proposal);
  }
}

// Grid: classes, images.
__global__ void class_kernel(Job job) {
  __shared__ TopKShared top;
  __shared__ NmsShared nms;
  __shared__ unsigned first;
  const unsigned label = blockIdx.x, image = blockIdx.y;
  const std::size_t list = list_of(job, image, label);
  const unsigned count = job.scratch.class_counts[list];
  if (count == 0) return;
  const DeviceSelection& selection = job.selections[image];
  Box* boxes = job.scratch.class_boxes + list * job.proposals_each;
  block_top_k(job.scratch.class_keys + list * job.proposals_each, count, count, top);
  for (unsigned i = threadIdx.x; i < count; i += blockDim.x)
    boxes[i] = decode(job, image, label, index_of_key(top.best[i]));
  __syncthreads();
  const unsigned kept = block_nms(boxes, count, selection.nms_threshold, count, nms);

  if (threadIdx.x == 0) first = atomicAdd(&job.scratch.kept_counts[image], kept);
  __syncthreads();
  const std::size_t out = std::size_t{image} * job.classes * job.proposals_each + first;
  for (unsigned i = threadIdx.x; i < kept; i += blockDim.x) {
    const Key key = top.best[nms.kept[i]];
    job.scratch.kept_keys[out + i] =
        make_key(order_of_key(key), label * job.proposals_each + index_of_key(key));
    job.scratch.kept_boxes[out + i] = scale_box(boxes[nms.kept[i]], selection.resized, selection.frame);
  }
}

// Grid: images.
__global__ void best_kernel(Job job, DeviceDetections* detections) {
  __shared__ TopKShared top;
  const unsigned image = blockIdx.x;
  const DeviceSelection& selection = job.selections[image];
  const unsigned kept = job.scratch.kept_counts[image];
  const auto wanted = static_cast<unsigned>(smaller(selection.max_detections, most_detections));
  const unsigned best = block_top_k(
      job.scratch.kept_keys + std::size_t{image} * job.classes * job.proposals_each, kept, wanted, top);
  for (unsigned i = threadIdx.x; i < best; i += blockDim.x) {
    const unsigned label = index_of_key(top.best[i]) / job.proposals_each;
    const unsigned proposal = index_of_key(top.best[i]) % job.proposals_each;
    const Box box = scale_box(decode(job, image, label, proposal), selection.resized, selection.frame);
    Detection& out = detections[image].best[i];
    out.box = box;
    out.score = value_of_key(order_of_key(top.best[i]));
    out.label = static_cast<int>(label);
  }
  if (threadIdx.x == 0) detections[image].count = static_cast<int>(kept);
}

}  // namespace

DevicePostprocessScratch DevicePostprocessScratch::take(DeviceBlock& block, int images, int classes,
                                                        int proposals_each) {
  const std::size_t lists = std::size_t{1} * images * classes, entries = lists * proposals_each;
  DevicePostprocessScratch scratch;
  scratch.class_keys = block.take<Key>(entries);
  scratch.class_boxes = block.take<Box>(entries);
  scratch.class_counts = block.take<unsigned>(lists + images);
  scratch.kept_counts = scratch.class_counts ? scratch.class_counts + lists : nullptr;
  scratch.kept_keys = block.take<Key>(entries);
  scratch.kept_boxes = block.take<Box>(entries);
  return scratch;
}

void postprocess_cuda(const Box* proposals, const int* counts, int images, int proposals_each,
                      const float* outputs, int row_floats, int classes, const DeviceSelection* selections,
                      const DevicePostprocessScratch& scratch, DeviceDetections* detections,
                      DeviceStream stream) {
  const auto batch = static_cast<unsigned>(images), class_count = static_cast<unsigned>(classes);
  const Job job{proposals,
                counts,
                static_cast<unsigned>(proposals_each),
                outputs,
                static_cast<unsigned>(row_floats),
                class_count,
                selections,
                scratch};
  zero(scratch.class_counts, std::size_t{batch} * (class_count + 1) * sizeof(unsigned), stream);
  const dim3 score_grid(blocks_for(std::size_t{1} * proposals_each * classes, score_threads, 4096), batch);
  launch(score_kernel, score_grid, score_threads, stream, job);
  launch(class_kernel, dim3(class_count, batch), top_k_threads, stream, job);
  launch(best_kernel, dim3(batch), top_k_threads, stream, job, detections);
}

}  // namespace smearscope::ops
