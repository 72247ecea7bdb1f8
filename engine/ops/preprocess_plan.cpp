// What preprocess computes once per model or frame, on the host, for all devices.
#include <cmath>

#include "ops/preprocess.h"

namespace smearscope::ops {

std::vector<float> gaussian_weights(double sigma) {
  const int radius = static_cast<int>(std::ceil(3 * sigma));
  std::vector<double> exact;
  double sum = 0;
  for (int offset = 0; offset <= radius; ++offset) {
    exact.push_back(std::exp(-0.5 * offset * offset / (sigma * sigma)));
    sum += (offset == 0 ? 1 : 2) * exact.back();
  }
  std::vector<float> weights;
  for (const double weight : exact) weights.push_back(static_cast<float>(weight / sum));
  return weights;
}

DeviceFrame device_frame(const Frame& frame, Size resized) {
  DeviceFrame result;
  result.format = frame.format;
  result.width = frame.width;
  result.height = frame.height;
  result.yuv = yuv_coefficients(frame.color);
  result.resized = resized;
  return result;
}

DeviceTransform device_transform(const Transform& transform) {
  DeviceTransform result;
  for (int channel = 0; channel < 3; ++channel) {
    result.mean[channel] = static_cast<float>(transform.mean[channel]);
    result.std[channel] = static_cast<float>(transform.std[channel]);
  }
  const ImageAdjustment& adjustment = transform.adjustment;
  result.adjusts = adjusts(adjustment);
  result.contrast = static_cast<float>(adjustment.contrast);
  result.brightness = static_cast<float>(adjustment.brightness);
  result.unsharp_amount = static_cast<float>(adjustment.unsharp_amount);
  return result;
}

}  // namespace smearscope::ops
