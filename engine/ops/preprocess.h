// Frame -> network input: colour conversion, the regimen's adjustment, normalisation, bilinear resize, zero
// padding.
//
// Steps, per pixel of the frame, in float32:
//   1. R, G, B in 0..1. Grey is copied to all three; alpha is ignored. Y'CbCr by the matrix and range of
//   Frame::color
//      (ITU-R BT.601-7 / BT.709-6, section on quantisation), each chroma sample used for its 2x2 pixels,
//      result clamped.
//   2. Model's ImageAdjustment (see smearscope/model.h). The Gaussian has radius ceil(3 sigma), weights that
//   sum to 1,
//      and repeats the frame's edge pixels.
//   3. (x - mean) / std per channel.
//   4. Bilinear resize to `resized`, align_corners = false, no antialias
//      (ATen/native/cpu/UpSampleKernel.cpp: source = (destination + 0.5) * in / out - 0.5, clamped at 0).
//   5. Zeros right of and below `resized`, up to the output's size.
#pragma once

#include <cstddef>
#include <vector>

#include "ops/device.h"
#include "ops/pixel_math.h"
#include "ops/transform.h"

namespace smearscope::ops {

// Where the input goes: element (channel, y, x) at data[channel * channel_stride + y * row_stride + x *
// pixel_stride].
struct InputView {
  float* data = nullptr;
  std::ptrdiff_t channel_stride = 0, row_stride = 0, pixel_stride = 0;  // in floats
  Size size;                                                            // padded; at least `resized`
};

// Memory kept between calls, so that a stream of equal frames allocates nothing.
struct PreprocessScratch {
  std::vector<std::vector<float>> per_thread;
  std::vector<int> left, right;
  std::vector<float> fraction;
};

// `frame` must have passed check_frame and lie in host memory. Every element of the output is written. Runs
// on the calling thread's OpenMP team; the result does not depend on the number of threads.
void preprocess_cpu(const Frame& frame, const Transform& transform, Size resized, const InputView& output,
                    PreprocessScratch& scratch);

// Step 1 for row `y`: [3][width] floats in 0..1.
void read_row_cpu(const Frame& frame, int y, float* row);

// One frame of a batch, for kernels; lies in device memory, as do the planes and the scratch.
struct DeviceFrame {
  PixelFormat format = PixelFormat::rgb;
  int width = 0, height = 0;
  const std::uint8_t* planes[3] = {};
  std::ptrdiff_t strides[3] = {};  // bytes
  YuvCoefficients yuv{};
  Size resized;
  float* scratch =
      nullptr;  // unsharp_scratch_floats(width, height) floats; null where the model has no unsharp mask
};

// With all but planes and scratch, which the caller sets. `frame` must have passed check_frame.
DeviceFrame device_frame(const Frame& frame, Size resized);

inline std::size_t unsharp_scratch_floats(int width, int height) {
  return std::size_t{6} * width * height;
}

// A model's Transform for kernels.
struct DeviceTransform {
  float mean[3] = {}, std[3] = {1, 1, 1};
  bool adjusts = false;  // contrast and brightness do something
  float contrast = 1, brightness = 0;
  float unsharp_amount = 0;         // 0: no unsharp mask
  const float* gaussian = nullptr;  // gaussian_weights in device memory
  int gaussian_count = 0;
};

// With all but the Gaussian, which the caller sets.
DeviceTransform device_transform(const Transform& transform);

// The same as preprocess_cpu, up to rounding of the last digits, for frames[0..count) in device memory.
// Writes [count][padded.height][padded.width][padded_channels(3)] elements. Runs on `stream`, does not wait.
void preprocess_cuda(const DeviceFrame* frames, int count, const DeviceTransform& transform, Size padded,
                     Element element, void* output, DeviceStream stream);

// Weights of the Gaussian of step 2, from the centre outwards: 1 + ceil(3 sigma) of them.
std::vector<float> gaussian_weights(double sigma);

}  // namespace smearscope::ops
