// The network's parts that run on a CUDA device by kernels of this project; everything else there is
// LibTorch's. All work is enqueued on LibTorch's current stream of the tensors' device. Without CUDA
// (cuda_operations_missing.cpp) there are none, and each call throws smearscope::Error.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <vector>

#include "network/boxes.h"
#include "network/proposals.h"

namespace smearscope::training {

bool has_cuda_operations();

// roi_align (roi_align.h) and its gradient, f32. levels: channels last. grad: [R, 7, 7, C] dense. shapes: of
// the levels, one after another. Neither waits. Sums run in a fixed order, so that the same input gives the
// same bits. A RoI of an image that isn't there gives 0 (finding out would mean to wait).
at::Tensor cuda_roi_align(const std::array<at::Tensor, 4>& levels, const at::Tensor& rois);
std::array<at::Tensor, 4> cuda_roi_align_gradient(const at::Tensor& grad, const at::Tensor& rois,
                                                  const std::vector<std::int64_t>& shapes);

// What `propose` (proposals.h) returns for each image: the best anchors of each level, decoded and thinned by
// the engine's kernels (engine/ops/proposals.h). logits: [N, anchors], deltas: [N, anchors, 4]. Waits for the
// device. Throws smearscope::Error if a limit is
// above what one block of threads sorts, 4096.
std::vector<std::vector<Box>> cuda_propose(const AnchorSet& anchors, const at::Tensor& logits,
                                           const at::Tensor& deltas, const std::vector<Size>& sizes,
                                           const ProposalLimits& limits);

}  // namespace smearscope::training
