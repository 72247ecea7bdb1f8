// Forward: one block per RoI. Backward: one block per tile of cells, which looks for the RoIs that read from
// it and gathers what they have for its cells; so no two blocks write to one cell.
#include "network/roi_align_kernels.h"
#include "ops/kernel.h"

namespace smearscope::training {
namespace {

using namespace ops;

constexpr int threads = 256;
constexpr int bins = roi_size * roi_size;
constexpr int samples = roi_size * roi_samples;  // of a RoI along one axis
constexpr int tile = 4;                          // cells per side
using Bits = unsigned long long;
constexpr int word = 64;  // bits

struct Roi {
  int image, level;
  float x_min, y_min, x_max, y_max;  // in cells of the level
};

__device__ Roi read_roi(const float* rois, int index) {
  const float* row = rois + std::ptrdiff_t{5} * index;
  const int level = smaller(larger(roi_level({row[1], row[2], row[3], row[4]}), 0), roi_levels - 1);
  const float scale = roi_scale(level);
  return {static_cast<int>(row[0]), level, row[1] * scale, row[2] * scale, row[3] * scale, row[4] * scale};
}

// Grid: RoIs.
__global__ void roi_align_kernel(RoiPyramid<const float> pyramid, const float* rois, float* output) {
  __shared__ int low[2][samples], high[2][samples];  // rows, columns
  __shared__ float low_weight[2][samples], high_weight[2][samples];
  const Roi roi = read_roi(rois, static_cast<int>(blockIdx.x));
  const auto& level = pyramid.levels[roi.level];
  for (int i = static_cast<int>(threadIdx.x); i < 2 * samples; i += threads) {
    const int axis = i / samples, s = i % samples;
    const AxisSample sample = axis == 0 ? axis_sample(roi.y_min, roi.y_max, level.height, s)
                                        : axis_sample(roi.x_min, roi.x_max, level.width, s);
    low[axis][s] = sample.low, high[axis][s] = sample.high;
    low_weight[axis][s] = sample.low_weight, high_weight[axis][s] = sample.high_weight;
  }
  __syncthreads();
  const int channels = pyramid.channels;
  const bool is_there = roi.image >= 0 && roi.image < pyramid.images;
  const float* map =
      level.data + (is_there ? std::ptrdiff_t{roi.image} * level.height * level.width * channels : 0);
  float* out = output + std::ptrdiff_t{blockIdx.x} * bins * channels;
  for (int i = static_cast<int>(threadIdx.x); i < bins * channels; i += threads) {
    const int bin = i / channels, channel = i % channels;
    float sum = 0;
    for (int s = 0; s < roi_samples * roi_samples && is_there; ++s) {
      const int y = bin / roi_size * roi_samples + s / roi_samples;
      const int x = bin % roi_size * roi_samples + s % roi_samples;
      const auto value = [&](int row, int column) {
        return map[(std::ptrdiff_t{row} * level.width + column) * channels + channel];
      };
      sum += low_weight[0][y] * (low_weight[1][x] * value(low[0][y], low[1][x]) +
                                 high_weight[1][x] * value(low[0][y], high[1][x])) +
             high_weight[0][y] * (low_weight[1][x] * value(high[0][y], low[1][x]) +
                                  high_weight[1][x] * value(high[0][y], high[1][x]));
    }
    out[i] = sum / (roi_samples * roi_samples);
  }
}

// The share of cell number `cell` in bin number `bin` along one axis.
__device__ float weight_in_bin(float first, float last, int size, int cell, int bin) {
  float weight = 0;
  for (int s = 0; s < roi_samples; ++s) {
    const AxisSample sample = axis_sample(first, last, size, bin * roi_samples + s);
    if (sample.low == cell) weight += sample.low_weight / roi_samples;
    if (sample.high == cell) weight += sample.high_weight / roi_samples;
  }
  return weight;
}

// Whether a RoI that lies from `first` to `last` may read one of the tile's cells along this axis.
__device__ bool may_touch(float first, float last, int tile_begin) {
  return first - 1 <= static_cast<float>(tile_begin + tile) &&
         larger(last, first + 1) + 1 >= static_cast<float>(tile_begin);
}

// What the tile's cells have of one channel of one RoI, added to `sums`.
__device__ void add_roi(const float* gradient, int channels, const float (&rows)[roi_size][tile],
                        const float (&columns)[roi_size][tile], float (&sums)[tile][tile]) {
  const auto is_zero = [](const float(&weights)[tile]) {
    return weights[0] == 0 && weights[1] == 0 && weights[2] == 0 && weights[3] == 0;
  };
  static_assert(tile == 4, "is_zero");
  for (int by = 0; by < roi_size; ++by) {
    if (is_zero(rows[by])) continue;
    float along[tile] = {};
    for (int bx = 0; bx < roi_size; ++bx) {
      if (is_zero(columns[bx])) continue;
      const float value = gradient[std::ptrdiff_t{by * roi_size + bx} * channels];
      for (int x = 0; x < tile; ++x) along[x] += columns[bx][x] * value;
    }
    for (int y = 0; y < tile; ++y)
      for (int x = 0; x < tile; ++x) sums[y][x] += rows[by][y] * along[x];
  }
}

// Grid: tiles along x, tiles along y, images. Of the level number `which`.
__global__ void gradient_kernel(const float* gradient, const float* rois, int count,
                                RoiPyramid<float> pyramid, int which) {
  __shared__ Bits touching[threads / word];  // a bit for each of the RoIs that are looked at together
  __shared__ float rows[roi_size][tile], columns[roi_size][tile];
  const auto& level = pyramid.levels[which];
  const int channels = pyramid.channels, thread = static_cast<int>(threadIdx.x);
  const int left = static_cast<int>(blockIdx.x) * tile, top = static_cast<int>(blockIdx.y) * tile;
  const int image = static_cast<int>(blockIdx.z);
  for (int first_channel = 0; first_channel < channels; first_channel += threads) {
    const int channel = first_channel + thread;
    float sums[tile][tile] = {};
    for (int first = 0; first < count; first += threads) {
      __syncthreads();
      if (thread < threads / word) touching[thread] = 0;
      __syncthreads();
      if (first + thread < count) {
        const Roi roi = read_roi(rois, first + thread);
        if (roi.image == image && roi.level == which && may_touch(roi.x_min, roi.x_max, left) &&
            may_touch(roi.y_min, roi.y_max, top))
          atomicOr(&touching[thread / word], Bits{1} << (thread % word));
      }
      __syncthreads();
      for (int w = 0; w < threads / word; ++w) {
        for (Bits rest = touching[w]; rest != 0; rest &= rest - 1) {
          const int index = first + w * word + count_bits((rest & (~rest + 1)) - 1);
          const Roi roi = read_roi(rois, index);
          __syncthreads();
          if (thread < roi_size * tile) {
            const int bin = thread / tile, cell = thread % tile;
            rows[bin][cell] = weight_in_bin(roi.y_min, roi.y_max, level.height, top + cell, bin);
            columns[bin][cell] = weight_in_bin(roi.x_min, roi.x_max, level.width, left + cell, bin);
          }
          __syncthreads();
          if (channel < channels)
            add_roi(gradient + std::ptrdiff_t{index} * bins * channels + channel, channels, rows, columns,
                    sums);
        }
      }
    }
    if (channel >= channels) continue;
    float* const map = level.data + std::ptrdiff_t{image} * level.height * level.width * channels + channel;
    for (int y = 0; y < tile && top + y < level.height; ++y)
      for (int x = 0; x < tile && left + x < level.width; ++x)
        map[(std::ptrdiff_t{top + y} * level.width + left + x) * channels] = sums[y][x];
  }
}

unsigned tiles(int size) {
  return static_cast<unsigned>((size + tile - 1) / tile);
}

}  // namespace

void roi_align_kernels(const RoiPyramid<const float>& pyramid, const float* rois, int count, float* output,
                       DeviceStream stream) {
  if (count == 0) return;
  launch(roi_align_kernel, dim3(static_cast<unsigned>(count)), threads, stream, pyramid, rois, output);
}

void roi_align_gradient_kernels(const float* gradient, const float* rois, int count,
                                const RoiPyramid<float>& pyramid, DeviceStream stream) {
  for (int which = 0; which < roi_levels; ++which) {
    const auto& level = pyramid.levels[which];
    const dim3 grid(tiles(level.width), tiles(level.height), static_cast<unsigned>(pyramid.images));
    launch(gradient_kernel, grid, threads, stream, gradient, rois, count, pyramid, which);
  }
}

}  // namespace smearscope::training
