#include "ops/roi_align.h"

#include "ops/simd.h"

namespace smearscope::ops {
namespace {

constexpr int samples_per_side = roi_size * roi_samples;

// All samples of one RoI along one axis.
std::array<AxisSample, samples_per_side> axis_samples(float first, float last, int size) {
  std::array<AxisSample, samples_per_side> samples;
  for (int i = 0; i < samples_per_side; ++i) samples[i] = axis_sample(first, last, size, i);
  return samples;
}

struct Tap {
  const float* cell;
  float weight;
};

SMEARSCOPE_VECTORISED void weighted_sum(const Tap* taps, int count, int channels, float* out) {
  for (int c = 0; c < channels; ++c) out[c] = 0;
  for (int tap = 0; tap < count; tap += 4) {
    const Tap* t = taps + tap;
    for (int c = 0; c < channels; ++c)
      out[c] += t[0].weight * t[0].cell[c] + t[1].weight * t[1].cell[c] + t[2].weight * t[2].cell[c] +
                t[3].weight * t[3].cell[c];
  }
}

void pool(const FeatureMap& map, float scale, int channels, const Box& roi, float* output) {
  const auto rows = axis_samples(roi.y_min * scale, roi.y_max * scale, map.height);
  const auto columns = axis_samples(roi.x_min * scale, roi.x_max * scale, map.width);
  const auto cell = [&](int y, int x) {
    return map.data + (static_cast<std::ptrdiff_t>(y) * map.width + x) * channels;
  };
  constexpr float share = 1.0F / (roi_samples * roi_samples);
  std::array<Tap, 4 * roi_samples * roi_samples> taps;
  for (int bin_y = 0; bin_y < roi_size; ++bin_y)
    for (int bin_x = 0; bin_x < roi_size; ++bin_x, output += channels) {
      Tap* tap = taps.data();
      for (int i = 0; i < roi_samples * roi_samples; ++i) {
        const AxisSample& y = rows[bin_y * roi_samples + i / roi_samples];
        const AxisSample& x = columns[bin_x * roi_samples + i % roi_samples];
        *tap++ = {cell(y.low, x.low), y.low_weight * x.low_weight * share};
        *tap++ = {cell(y.low, x.high), y.low_weight * x.high_weight * share};
        *tap++ = {cell(y.high, x.low), y.high_weight * x.low_weight * share};
        *tap++ = {cell(y.high, x.high), y.high_weight * x.high_weight * share};
      }
      weighted_sum(taps.data(), static_cast<int>(taps.size()), channels, output);
    }
}

}  // namespace

void roi_align_cpu(const std::array<FeatureMap, roi_levels>& levels, int channels,
                   const std::vector<Box>& rois, float* output) {
  const auto count = static_cast<std::ptrdiff_t>(rois.size());
  const std::ptrdiff_t floats_each = static_cast<std::ptrdiff_t>(roi_size) * roi_size * channels;
#pragma omp parallel for schedule(static)
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    const int level = roi_level(rois[i]);
    pool(levels[level], roi_scale(level), channels, rois[i], output + i * floats_each);
  }
}

}  // namespace smearscope::ops
