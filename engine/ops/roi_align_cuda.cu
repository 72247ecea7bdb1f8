// One block per RoI, all levels in one launch; a thread computes 16 bytes of channels of one bin.
#include "ops/kernel.h"
#include "ops/roi_align.h"

namespace smearscope::ops {
namespace {

constexpr unsigned threads = 256;

template <typename T>
struct Map {
  const Vector<T>* data;
  int width, vectors;  // vectors: per cell

  __device__ const Vector<T>& at(int y, int x, int vector) const {
    return data[(std::ptrdiff_t{y} * width + x) * vectors + vector];
  }
};

// sums += the bilinear sample at (y, x).
template <typename T>
__device__ void add_sample(const Map<T>& map, const AxisSample& y, const AxisSample& x, int vector,
                           float* sums) {
  constexpr float share = 1.0F / (roi_samples * roi_samples);
  const Vector<T> a = map.at(y.low, x.low, vector), b = map.at(y.low, x.high, vector);
  const Vector<T> c = map.at(y.high, x.low, vector), d = map.at(y.high, x.high, vector);
  const float weight_a = y.low_weight * x.low_weight * share, weight_b = y.low_weight * x.high_weight * share;
  const float weight_c = y.high_weight * x.low_weight * share,
              weight_d = y.high_weight * x.high_weight * share;
  for (int i = 0; i < Vector<T>::size; ++i)
    sums[i] += weight_a * static_cast<float>(a.values[i]) + weight_b * static_cast<float>(b.values[i]) +
               weight_c * static_cast<float>(c.values[i]) + weight_d * static_cast<float>(d.values[i]);
}

// Grid: RoIs of an image, images.
template <typename T>
__global__ void roi_align_kernel(DevicePyramid pyramid, const Box* rois, const int* counts,
                                 Vector<T>* output) {
  const unsigned image = blockIdx.y;
  if (static_cast<int>(blockIdx.x) >= counts[image]) return;
  const std::size_t roi_index = std::size_t{image} * gridDim.x + blockIdx.x;
  const Box roi = rois[roi_index];
  const int level = roi_level(roi);
  const float scale = roi_scale(level);
  const DevicePyramid::Level& source = pyramid.levels[level];
  const int vectors = pyramid.channels / Vector<T>::size;
  const std::ptrdiff_t cells = std::ptrdiff_t{source.width} * source.height;
  const Map<T> map{static_cast<const Vector<T>*>(source.data) + image * cells * vectors, source.width,
                   vectors};
  Vector<T>* out = output + roi_index * roi_size * roi_size * vectors;

  for (int i = static_cast<int>(threadIdx.x); i < roi_size * roi_size * vectors;
       i += static_cast<int>(blockDim.x)) {
    const int bin = i / vectors;
    AxisSample rows[roi_samples], columns[roi_samples];
    for (int sample = 0; sample < roi_samples; ++sample) {
      rows[sample] = axis_sample(roi.y_min * scale, roi.y_max * scale, source.height,
                                 bin / roi_size * roi_samples + sample);
      columns[sample] = axis_sample(roi.x_min * scale, roi.x_max * scale, source.width,
                                    bin % roi_size * roi_samples + sample);
    }
    float sums[Vector<T>::size] = {};
    for (int sample = 0; sample < roi_samples * roi_samples; ++sample)
      add_sample(map, rows[sample / roi_samples], columns[sample % roi_samples], i % vectors, sums);
    Vector<T> result;
    for (int channel = 0; channel < Vector<T>::size; ++channel)
      result.values[channel] = static_cast<T>(sums[channel]);
    out[i] = result;
  }
}

}  // namespace

void roi_align_cuda(const DevicePyramid& pyramid, const Box* rois, const int* counts, int images,
                    int rois_each, void* output, DeviceStream stream) {
  const dim3 grid(static_cast<unsigned>(rois_each), static_cast<unsigned>(images));
  if (pyramid.element == Element::f32)
    launch(roi_align_kernel<float>, grid, threads, stream, pyramid, rois, counts,
           static_cast<Vector<float>*>(output));
  else
    launch(roi_align_kernel<Half>, grid, threads, stream, pyramid, rois, counts,
           static_cast<Vector<Half>*>(output));
}

}  // namespace smearscope::ops
