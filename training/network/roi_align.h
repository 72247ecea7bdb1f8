// RoIAlign over a feature pyramid, with gradient.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>

namespace smearscope::training {

constexpr int roi_bins =
    7;  // bins per side; sampling_ratio is 2 and aligned is false, as in torchvision's defaults

// The pyramid level, 0..3 for P2..P5, on which a box of this area (square pixels of the image) is pooled:
// floor(4 + log2(sqrt(area) / 224) + 1e-6), clamped (torchvision/ops/poolers.py, LevelMapper).
int roi_level(float area);

// levels: P2..P5 of strides 4, 8, 16, 32, each [N, C, H, W], f32 or (on the CPU alone) f64, best in
// channels-last memory. rois: [R, 5] of the levels' dtype and device: image index, then x_min, y_min, x_max,
// y_max in image pixels; takes no gradient. Returns [R, 7, 7, C] dense: bins before channels, since pooling
// runs along channels. A bin is the mean of its 4 samples (torchvision/csrc/ops/cpu/roi_align_kernel.cpp).
// Threads: LibTorch's own; values and gradients do not depend on their number. On a CUDA device nothing
// waits, and values and gradients are the same bits every time, too. Throws c10::Error on shapes other than
// these; on the CPU also on an image that isn't there, whose RoIs are 0 on a CUDA device.
at::Tensor roi_align(const std::array<at::Tensor, 4>& levels, const at::Tensor& rois);

}  // namespace smearscope::training
