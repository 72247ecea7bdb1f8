// The arithmetic of preprocess (ops/preprocess.h) on single values, in float32. For host and device.
#pragma once

#include <cstdint>

#include "ops/host_device.h"
#include "smearscope/frame.h"
#include "smearscope/model.h"

namespace smearscope::ops {

SMEARSCOPE_HOST_DEVICE inline float unit(float value) {
  return smaller(larger(value, 0.0F), 1.0F);
}

struct Rgb {
  float r, g, b;
};

// R' = y + red_cr * cr, G' = y + green_cb * cb + green_cr * cr, B' = y + blue_cb * cb, with y, cb and cr
// scaled so that black..white is 0..1 and chroma is -0.5..0.5.
struct YuvCoefficients {
  float luma_offset, luma_scale, chroma_scale, red_cr, green_cb, green_cr, blue_cb;
};

inline YuvCoefficients yuv_coefficients(const YuvColor& color) {
  const bool bt709 = color.matrix == YuvColor::Matrix::bt709;
  const double kr = bt709 ? 0.2126 : 0.299;
  const double kb = bt709 ? 0.0722 : 0.114;
  const double kg = 1 - kr - kb;
  YuvCoefficients k{};
  k.luma_offset = color.full_range ? 0.0F : 16.0F;
  k.luma_scale = color.full_range ? 1 / 255.0F : 1 / 219.0F;
  k.chroma_scale = color.full_range ? 1 / 255.0F : 1 / 224.0F;
  k.red_cr = static_cast<float>(2 * (1 - kr));
  k.green_cb = static_cast<float>(-2 * kb * (1 - kb) / kg);
  k.green_cr = static_cast<float>(-2 * kr * (1 - kr) / kg);
  k.blue_cb = static_cast<float>(2 * (1 - kb));
  return k;
}

SMEARSCOPE_HOST_DEVICE inline Rgb yuv_to_rgb(const YuvCoefficients& k, std::uint8_t luma_byte,
                                             std::uint8_t cb_byte, std::uint8_t cr_byte) {
  const float y = (static_cast<float>(luma_byte) - k.luma_offset) * k.luma_scale;
  const float cb = (static_cast<float>(cb_byte) - 128.0F) * k.chroma_scale;
  const float cr = (static_cast<float>(cr_byte) - 128.0F) * k.chroma_scale;
  return {unit(y + k.red_cr * cr), unit(y + k.green_cb * cb + k.green_cr * cr), unit(y + k.blue_cb * cb)};
}

SMEARSCOPE_HOST_DEVICE inline float sample_to_unit(std::uint8_t sample) {
  return static_cast<float>(sample) / 255.0F;
}

SMEARSCOPE_HOST_DEVICE inline float adjust(float value, float contrast, float brightness) {
  return unit((value - 0.5F) * contrast + 0.5F + brightness);
}

// Whether `adjust` changes anything.
inline bool adjusts(const ImageAdjustment& adjustment) {
  return adjustment.contrast != 1.0 || adjustment.brightness != 0.0;
}

SMEARSCOPE_HOST_DEVICE inline float sharpen(float value, float blurred, float amount) {
  return unit(value + amount * (value - blurred));
}

SMEARSCOPE_HOST_DEVICE inline float normalise(float value, float mean, float std) {
  return (value - mean) / std;
}

// Where position `i` of `out` resized ones falls among `in`: both neighbours, and how far it is from the
// first.
struct ResizeSample {
  int low, high;
  float fraction;
};

SMEARSCOPE_HOST_DEVICE inline ResizeSample resize_sample(int i, int in, int out) {
  const float scale = static_cast<float>(in) / static_cast<float>(out);
  const float position = larger(0.0F, scale * (static_cast<float>(i) + 0.5F) - 0.5F);
  const int low = smaller(static_cast<int>(position), in - 1);
  return {low, smaller(low + 1, in - 1), unit(position - static_cast<float>(low))};
}

SMEARSCOPE_HOST_DEVICE inline float blend(float low, float high, float fraction) {
  return (1 - fraction) * low + fraction * high;
}

}  // namespace smearscope::ops
