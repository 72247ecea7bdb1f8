// RoIAlign over the pyramid (torchvision/csrc/ops/cpu/roi_align_kernel.cpp; torchvision/ops/poolers.py).
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "smearscope/detector.h"

namespace smearscope::ops {

inline constexpr int roi_size = 7;     // bins per side
inline constexpr int roi_samples = 2;  // samples per bin and side
inline constexpr int roi_levels = 4;   // P2..P5, with scales 1/4, 1/8, 1/16, 1/32

// [height][width][channels] floats.
struct FeatureMap {
  const float* data = nullptr;
  int width = 0;
  int height = 0;
};

// Index 0..3 of the level that pools `box`: floor(4 + log2(sqrt(area) / 224) + 1e-6) clamped to 2..5,
// minus 2.
int roi_level(const Box& box);

// output[i] is [7][7][channels] for rois[i] (pixels of the network's input): a bin is the mean of its 2x2
// bilinear samples; aligned = false (no half-pixel shift), sides of a RoI on the map are at least 1. A sample
// outside -1..height or -1..width is 0, else it is clamped into the map. Runs on the calling thread's OpenMP
// team; the result does not depend on the number of threads.
void roi_align_cpu(const std::array<FeatureMap, roi_levels>& levels, int channels,
                   const std::vector<Box>& rois, float* output);

}  // namespace smearscope::ops
