// One thread per 16 bytes of output.
#include "ops/host_device.h"
#include "ops/kernel.h"
#include "ops/pooling.h"

namespace smearscope::ops {
namespace {

constexpr unsigned threads = 256;
constexpr unsigned most_blocks = 65536;

template <typename T>
struct Place {
  const Vector<T>* input;  // of this image
  int x, y, vector;        // of the output
};

// Calls `work(place, output vector)` for all vectors of the output.
template <typename T, typename Work>
__device__ void for_each_vector(const DeviceMaps& input, const DeviceMaps& output, int images, int vectors,
                                Work work) {
  const std::size_t row = std::size_t{1} * output.size.width * vectors;
  const std::size_t image = row * output.size.height;
  const std::size_t input_image = std::size_t{1} * input.size.width * input.size.height * vectors;
  const std::size_t step = std::size_t{gridDim.x} * blockDim.x;
  for (std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x; i < image * images; i += step) {
    const Place<T> place{static_cast<const Vector<T>*>(input.data) + i / image * input_image,
                         static_cast<int>(i % row / vectors), static_cast<int>(i % image / row),
                         static_cast<int>(i % vectors)};
    work(place, static_cast<Vector<T>*>(output.data)[i]);
  }
}

template <typename T>
__global__ void max_pool_kernel(DeviceMaps input, DeviceMaps output, int images, int vectors) {
  for_each_vector<T>(input, output, images, vectors, [&](const Place<T>& place, Vector<T>& out) {
    const int left = larger(2 * place.x - 1, 0), right = smaller(2 * place.x + 1, input.size.width - 1);
    const int top = larger(2 * place.y - 1, 0), bottom = smaller(2 * place.y + 1, input.size.height - 1);
    Vector<T> most = place.input[(std::ptrdiff_t{top} * input.size.width + left) * vectors + place.vector];
    for (int y = top; y <= bottom; ++y)
      for (int x = left; x <= right; ++x) {
        const Vector<T> in = place.input[(std::ptrdiff_t{y} * input.size.width + x) * vectors + place.vector];
        for (int i = 0; i < Vector<T>::size; ++i)
          if (static_cast<float>(most.values[i]) < static_cast<float>(in.values[i]))
            most.values[i] = in.values[i];
      }
    out = most;
  });
}

// The input at (x * numerator / denominator, likewise y).
template <typename T>
__global__ void pick_kernel(DeviceMaps input, DeviceMaps output, int images, int vectors, int numerator,
                            int denominator) {
  for_each_vector<T>(input, output, images, vectors, [&](const Place<T>& place, Vector<T>& out) {
    const int x = place.x * numerator / denominator, y = place.y * numerator / denominator;
    out = place.input[(std::ptrdiff_t{y} * input.size.width + x) * vectors + place.vector];
  });
}

template <typename T>
__global__ void add_bias_kernel(Vector<T>* values, const Vector<T>* bias, bool relu, std::size_t count,
                                int vectors) {
  const std::size_t step = std::size_t{gridDim.x} * blockDim.x;
  for (std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += step) {
    Vector<T> value = values[i];
    const Vector<T> offset = bias[i % vectors];
    for (int channel = 0; channel < Vector<T>::size; ++channel) {
      const float sum =
          static_cast<float>(value.values[channel]) + static_cast<float>(offset.values[channel]);
      value.values[channel] = static_cast<T>(relu ? larger(sum, 0.0F) : sum);
    }
    values[i] = value;
  }
}

template <typename T>
void pick(const DeviceMaps& input, const DeviceMaps& output, int images, int channels, int numerator,
          int denominator, DeviceStream stream) {
  const int vectors = channels / Vector<T>::size;
  const std::size_t count = std::size_t{1} * images * output.size.width * output.size.height * vectors;
  launch(pick_kernel<T>, dim3(blocks_for(count, threads, most_blocks)), threads, stream, input, output,
         images, vectors, numerator, denominator);
}

void pick_as(Element element, const DeviceMaps& input, const DeviceMaps& output, int images, int channels,
             int numerator, int denominator, DeviceStream stream) {
  element == Element::f32 ? pick<float>(input, output, images, channels, numerator, denominator, stream)
                          : pick<Half>(input, output, images, channels, numerator, denominator, stream);
}

template <typename T>
void max_pool(const DeviceMaps& input, const DeviceMaps& output, int images, int channels,
              DeviceStream stream) {
  const int vectors = channels / Vector<T>::size;
  const std::size_t count = std::size_t{1} * images * output.size.width * output.size.height * vectors;
  launch(max_pool_kernel<T>, dim3(blocks_for(count, threads, most_blocks)), threads, stream, input, output,
         images, vectors);
}

template <typename T>
void add_bias(void* values, const void* bias, bool relu, std::size_t positions, int channels,
              DeviceStream stream) {
  const int vectors = channels / Vector<T>::size;
  const std::size_t count = positions * vectors;
  launch(add_bias_kernel<T>, dim3(blocks_for(count, threads, most_blocks)), threads, stream,
         static_cast<Vector<T>*>(values), static_cast<const Vector<T>*>(bias), relu, count, vectors);
}

}  // namespace

void max_pool_cuda(const DeviceMaps& input, const DeviceMaps& output, int images, int channels,
                   Element element, DeviceStream stream) {
  element == Element::f32 ? max_pool<float>(input, output, images, channels, stream)
                          : max_pool<Half>(input, output, images, channels, stream);
}

void subsample_cuda(const DeviceMaps& input, const DeviceMaps& output, int images, int channels,
                    Element element, DeviceStream stream) {
  pick_as(element, input, output, images, channels, 2, 1, stream);
}

void upsample_cuda(const DeviceMaps& input, const DeviceMaps& output, int images, int channels,
                   Element element, DeviceStream stream) {
  pick_as(element, input, output, images, channels, 1, 2, stream);
}

void add_bias_cuda(void* values, const void* bias, bool relu, std::size_t positions, int channels,
                   Element element, DeviceStream stream) {
  element == Element::f32 ? add_bias<float>(values, bias, relu, positions, channels, stream)
                          : add_bias<Half>(values, bias, relu, positions, channels, stream);
}

}  // namespace smearscope::ops
