// RoIAlign and its gradient by CUDA kernels, on plain device memory; needs neither LibTorch nor CUDA's
// headers. Bins, samples and levels are those of ops/roi_align.h.
#pragma once

#include "ops/device.h"
#include "ops/roi_align.h"

namespace smearscope::training {

// P2..P5 of a batch, each [images][height][width][channels] floats in device memory.
template <typename T>
struct RoiPyramid {
  struct Level {
    T* data = nullptr;
    int height = 0, width = 0;
  } levels[ops::roi_levels];
  int images = 0, channels = 0;
};

// rois: [count][5] floats: image, then x_min, y_min, x_max, y_max in pixels of the network's input, in any
// order. output: [count][7][7][channels]. A RoI whose image is not in the pyramid gives 0.
void roi_align_kernels(const RoiPyramid<const float>& pyramid, const float* rois, int count, float* output,
                       ops::DeviceStream stream);

// The transpose of roi_align_kernels: from the gradient of its output ([count][7][7][channels]) that of the
// pyramid, every float of which is written. A cell's sum runs in the order of the RoIs: no atomics, the same
// bits every time.
void roi_align_gradient_kernels(const float* gradient, const float* rois, int count,
                                const RoiPyramid<float>& pyramid, ops::DeviceStream stream);

}  // namespace smearscope::training
