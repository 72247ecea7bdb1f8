// RoIAlign over the pyramid (torchvision/csrc/ops/cpu/roi_align_kernel.cpp; torchvision/ops/poolers.py).
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <vector>

#include "ops/device.h"
#include "ops/host_device.h"
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
SMEARSCOPE_HOST_DEVICE inline int roi_level(const Box& box) {
  const float side = std::sqrt((box.x_max - box.x_min) * (box.y_max - box.y_min));
  const float level = std::floor(4 + std::log2(side / 224.0F) + 1e-6F);
  return static_cast<int>(smaller(larger(level, 2.0F), 5.0F)) - 2;
}

// Pixels of the network's input to cells of a level's map.
SMEARSCOPE_HOST_DEVICE inline float roi_scale(int level) {
  return 0.25F / static_cast<float>(1 << level);
}

// Where a sample falls along one axis: two neighbouring cells and their weights, both 0 outside the map.
struct AxisSample {
  int low = 0, high = 0;
  float low_weight = 0, high_weight = 0;
};

// Sample `i` of the 14 of a RoI along one axis: `first` and `last` in cells of the map, which has `size`
// cells.
SMEARSCOPE_HOST_DEVICE inline AxisSample axis_sample(float first, float last, int size, int i) {
  const float bin = larger(last - first, 1.0F) / roi_size;
  const auto bin_index = static_cast<float>(i / roi_samples);
  const float offset = (static_cast<float>(i % roi_samples) + 0.5F) * bin / roi_samples;
  float position = first + bin_index * bin + offset;
  AxisSample sample;
  if (!(position >= -1 && position <= static_cast<float>(size))) return sample;  // nor a NaN
  position = larger(position, 0.0F);
  sample.low = smaller(static_cast<int>(position), size - 1);
  sample.high = smaller(sample.low + 1, size - 1);
  const float fraction = sample.low == size - 1 ? 0.0F : position - static_cast<float>(sample.low);
  sample.low_weight = 1 - fraction;
  sample.high_weight = fraction;
  return sample;
}

// output[i] is [7][7][channels] for rois[i] (pixels of the network's input): a bin is the mean of its 2x2
// bilinear samples; aligned = false (no half-pixel shift), sides of a RoI on the map are at least 1. A sample
// outside -1..height or -1..width is 0, else it is clamped into the map. Runs on the calling thread's OpenMP
// team; the result does not depend on the number of threads.
void roi_align_cpu(const std::array<FeatureMap, roi_levels>& levels, int channels,
                   const std::vector<Box>& rois, float* output);

// The pyramid of a batch in device memory: [images][height][width][channels] elements per level.
struct DevicePyramid {
  struct Level {
    const void* data = nullptr;
    int width = 0, height = 0;
  } levels[roi_levels];
  Element element = Element::f32;
  int channels = 0;  // a multiple of padded_channels(1)
};

// The same as roi_align_cpu, up to rounding, for a batch: image i has counts[i] RoIs, at rois[i * rois_each].
// output is [images][rois_each][7][7][channels] elements, summed in float32; what belongs to no RoI is left
// as it is. All in device memory. Runs on `stream`, does not wait.
void roi_align_cuda(const DevicePyramid& pyramid, const Box* rois, const int* counts, int images,
                    int rois_each, void* output, DeviceStream stream);

}  // namespace smearscope::ops
