#include "ops/roi_align.h"

#include <algorithm>
#include <cmath>

#include "ops/simd.h"

namespace smearscope::ops {
namespace {

constexpr int samples_per_side = roi_size * roi_samples;

// Where a sample falls along one axis: two neighbouring cells and their weights, both 0 outside the map.
struct AxisSample {
  int low = 0, high = 0;
  float low_weight = 0, high_weight = 0;
};

// The samples of one RoI along one axis: `first` and `last` in cells of the map, which has `size` cells.
std::array<AxisSample, samples_per_side> axis_samples(float first, float last, int size) {
  std::array<AxisSample, samples_per_side> samples;
  const float bin = std::max(last - first, 1.0F) / roi_size;
  for (int i = 0; i < samples_per_side; ++i) {
    const auto bin_index = static_cast<float>(i / roi_samples);
    const float offset = (static_cast<float>(i % roi_samples) + 0.5F) * bin / roi_samples;
    float position = first + bin_index * bin + offset;
    if (position < -1 || position > static_cast<float>(size)) continue;
    position = std::max(position, 0.0F);
    AxisSample& sample = samples[i];
    sample.low = std::min(static_cast<int>(position), size - 1);
    sample.high = std::min(sample.low + 1, size - 1);
    const float fraction = sample.low == size - 1 ? 0.0F : position - static_cast<float>(sample.low);
    sample.low_weight = 1 - fraction;
    sample.high_weight = fraction;
  }
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

int roi_level(const Box& box) {
  const float side = std::sqrt((box.x_max - box.x_min) * (box.y_max - box.y_min));
  const float level = std::floor(4 + std::log2(side / 224.0F) + 1e-6F);
  return static_cast<int>(std::min(std::max(level, 2.0F), 5.0F)) - 2;
}

void roi_align_cpu(const std::array<FeatureMap, roi_levels>& levels, int channels,
                   const std::vector<Box>& rois, float* output) {
  const auto count = static_cast<std::ptrdiff_t>(rois.size());
  const std::ptrdiff_t floats_each = static_cast<std::ptrdiff_t>(roi_size) * roi_size * channels;
#pragma omp parallel for schedule(static)
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    const int level = roi_level(rois[i]);
    pool(levels[level], 0.25F / static_cast<float>(1 << level), channels, rois[i], output + i * floats_each);
  }
}

}  // namespace smearscope::ops
