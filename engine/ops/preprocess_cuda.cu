// One thread per pixel. Without an unsharp mask a pixel of the output reads its four pixels of the frame as
// they came; with one, three kernels prepare the frame in scratch memory first.
#include "ops/kernel.h"
#include "ops/preprocess.h"

namespace smearscope::ops {
namespace {

constexpr unsigned threads = 256;
constexpr unsigned most_blocks = 2048;  // per image; frames of any size are covered by loops

__device__ Rgb read_packed(const DeviceFrame& frame, int x, int y, int bytes, bool blue_first) {
  const std::uint8_t* pixel = frame.planes[0] + frame.strides[0] * y + std::ptrdiff_t{x} * bytes;
  const float first = sample_to_unit(pixel[0]), last = sample_to_unit(pixel[2]);
  return {blue_first ? last : first, sample_to_unit(pixel[1]), blue_first ? first : last};
}

__device__ Rgb read_yuv(const DeviceFrame& frame, int x, int y) {
  const std::uint8_t luma = frame.planes[0][frame.strides[0] * y + x];
  const std::uint8_t* second = frame.planes[1] + frame.strides[1] * (y / 2);
  if (frame.format == PixelFormat::nv12)
    return yuv_to_rgb(frame.yuv, luma, second[x / 2 * 2], second[x / 2 * 2 + 1]);
  return yuv_to_rgb(frame.yuv, luma, second[x / 2], frame.planes[2][frame.strides[2] * (y / 2) + x / 2]);
}

// Step 1.
__device__ Rgb read_pixel(const DeviceFrame& frame, int x, int y) {
  switch (frame.format) {
    case PixelFormat::gray8: {
      const float grey = sample_to_unit(frame.planes[0][frame.strides[0] * y + x]);
      return {grey, grey, grey};
    }
    case PixelFormat::rgb:
      return read_packed(frame, x, y, 3, false);
    case PixelFormat::bgr:
      return read_packed(frame, x, y, 3, true);
    case PixelFormat::rgba:
      return read_packed(frame, x, y, 4, false);
    case PixelFormat::bgra:
      return read_packed(frame, x, y, 4, true);
    case PixelFormat::nv12:
    case PixelFormat::i420:
      break;
  }
  return read_yuv(frame, x, y);
}

__device__ Rgb read_adjusted(const DeviceFrame& frame, const DeviceTransform& transform, int x, int y) {
  const Rgb pixel = read_pixel(frame, x, y);
  if (!transform.adjusts) return pixel;
  return {adjust(pixel.r, transform.contrast, transform.brightness),
          adjust(pixel.g, transform.contrast, transform.brightness),
          adjust(pixel.b, transform.contrast, transform.brightness)};
}

// Calls `work(x, y)` for all pixels, spread over the threads of grid.x.
template <typename Work>
__device__ void for_each_pixel(int width, int height, Work work) {
  const std::ptrdiff_t count = std::ptrdiff_t{width} * height;
  for (std::ptrdiff_t i = std::ptrdiff_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count;
       i += std::ptrdiff_t{gridDim.x} * blockDim.x)
    work(static_cast<int>(i % width), static_cast<int>(i / width));
}

// The scratch holds two pictures of 3 planes: `sharp` and `blurred`.
struct Scratch {
  std::ptrdiff_t plane;
  float *sharp, *blurred;
};

__device__ Scratch scratch_of(const DeviceFrame& frame) {
  const std::ptrdiff_t plane = std::ptrdiff_t{frame.width} * frame.height;
  return {plane, frame.scratch, frame.scratch + 3 * plane};
}

__global__ void adjust_kernel(const DeviceFrame* frames, DeviceTransform transform) {
  const DeviceFrame& frame = frames[blockIdx.y];
  const Scratch scratch = scratch_of(frame);
  for_each_pixel(frame.width, frame.height, [&](int x, int y) {
    const Rgb pixel = read_adjusted(frame, transform, x, y);
    float* out = scratch.sharp + std::ptrdiff_t{y} * frame.width + x;
    out[0] = pixel.r;
    out[scratch.plane] = pixel.g;
    out[2 * scratch.plane] = pixel.b;
  });
}

__device__ int clamped(int value, int length) {
  return smaller(larger(value, 0), length - 1);
}

__global__ void blur_along_rows_kernel(const DeviceFrame* frames, DeviceTransform transform) {
  const DeviceFrame& frame = frames[blockIdx.y];
  const Scratch scratch = scratch_of(frame);
  const int radius = transform.gaussian_count - 1;
  for_each_pixel(frame.width, frame.height, [&](int x, int y) {
    for (int channel = 0; channel < 3; ++channel) {
      const std::ptrdiff_t row = channel * scratch.plane + std::ptrdiff_t{y} * frame.width;
      float sum = 0;
      for (int offset = -radius; offset <= radius; ++offset)
        sum += transform.gaussian[offset < 0 ? -offset : offset] *
               scratch.sharp[row + clamped(x + offset, frame.width)];
      scratch.blurred[row + x] = sum;
    }
  });
}

// Blurs along columns, sharpens and normalises: each thread changes the pixel that it alone reads.
__global__ void sharpen_kernel(const DeviceFrame* frames, DeviceTransform transform) {
  const DeviceFrame& frame = frames[blockIdx.y];
  const Scratch scratch = scratch_of(frame);
  const int radius = transform.gaussian_count - 1;
  for_each_pixel(frame.width, frame.height, [&](int x, int y) {
    for (int channel = 0; channel < 3; ++channel) {
      const float* column = scratch.blurred + channel * scratch.plane + x;
      float sum = 0;
      for (int offset = -radius; offset <= radius; ++offset)
        sum += transform.gaussian[offset < 0 ? -offset : offset] *
               column[std::ptrdiff_t{clamped(y + offset, frame.height)} * frame.width];
      float& pixel = scratch.sharp[channel * scratch.plane + std::ptrdiff_t{y} * frame.width + x];
      pixel = normalise(sharpen(pixel, sum, transform.unsharp_amount), transform.mean[channel],
                        transform.std[channel]);
    }
  });
}

// A pixel after steps 1 to 3.
__device__ Rgb read_normalised(const DeviceFrame& frame, const DeviceTransform& transform, int x, int y) {
  if (transform.unsharp_amount != 0) {
    const Scratch scratch = scratch_of(frame);
    const float* pixel = scratch.sharp + std::ptrdiff_t{y} * frame.width + x;
    return {pixel[0], pixel[scratch.plane], pixel[2 * scratch.plane]};
  }
  const Rgb pixel = read_adjusted(frame, transform, x, y);
  return {normalise(pixel.r, transform.mean[0], transform.std[0]),
          normalise(pixel.g, transform.mean[1], transform.std[1]),
          normalise(pixel.b, transform.mean[2], transform.std[2])};
}

__device__ Rgb blend_pixels(Rgb low, Rgb high, float fraction) {
  return {blend(low.r, high.r, fraction), blend(low.g, high.g, fraction), blend(low.b, high.b, fraction)};
}

template <typename T>
__global__ void resize_kernel(const DeviceFrame* frames, DeviceTransform transform, Size padded,
                              Vector<T>* output) {
  const DeviceFrame& frame = frames[blockIdx.y];
  Vector<T>* image = output + std::ptrdiff_t{padded.width} * padded.height * blockIdx.y;
  for_each_pixel(padded.width, padded.height, [&](int x, int y) {
    Rgb pixel{0, 0, 0};
    if (x < frame.resized.width && y < frame.resized.height) {
      const ResizeSample column = resize_sample(x, frame.width, frame.resized.width);
      const ResizeSample row = resize_sample(y, frame.height, frame.resized.height);
      const Rgb top = blend_pixels(read_normalised(frame, transform, column.low, row.low),
                                   read_normalised(frame, transform, column.high, row.low), column.fraction);
      const Rgb bottom =
          blend_pixels(read_normalised(frame, transform, column.low, row.high),
                       read_normalised(frame, transform, column.high, row.high), column.fraction);
      pixel = blend_pixels(top, bottom, row.fraction);
    }
    Vector<T> vector;
    vector.values[0] = static_cast<T>(pixel.r);
    vector.values[1] = static_cast<T>(pixel.g);
    vector.values[2] = static_cast<T>(pixel.b);
    for (int i = 3; i < Vector<T>::size; ++i) vector.values[i] = static_cast<T>(0.0F);
    image[std::ptrdiff_t{y} * padded.width + x] = vector;
  });
}

}  // namespace

void preprocess_cuda(const DeviceFrame* frames, int count, const DeviceTransform& transform, Size padded,
                     Element element, void* output, DeviceStream stream) {
  const dim3 grid(blocks_for(std::size_t{1} * padded.width * padded.height, threads, most_blocks),
                  static_cast<unsigned>(count));
  if (transform.unsharp_amount != 0) {
    launch(adjust_kernel, grid, threads, stream, frames, transform);
    launch(blur_along_rows_kernel, grid, threads, stream, frames, transform);
    launch(sharpen_kernel, grid, threads, stream, frames, transform);
  }
  if (element == Element::f32)
    launch(resize_kernel<float>, grid, threads, stream, frames, transform, padded,
           static_cast<Vector<float>*>(output));
  else
    launch(resize_kernel<Half>, grid, threads, stream, frames, transform, padded,
           static_cast<Vector<Half>*>(output));
}

}  // namespace smearscope::ops
