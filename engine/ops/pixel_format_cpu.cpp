// Step 1 of preprocess: one row of a frame of any format to R, G, B in 0..1.
#include <array>

#include "ops/pixel_math.h"
#include "ops/preprocess.h"

namespace smearscope::ops {
namespace {

void read_packed(const std::uint8_t* pixel, int width, int bytes, std::array<int, 3> offsets, float* row) {
  for (int channel = 0; channel < 3; ++channel) {
    const std::uint8_t* sample = pixel + offsets[channel];
    float* out = row + static_cast<std::ptrdiff_t>(channel) * width;
    for (int x = 0; x < width; ++x, sample += bytes) out[x] = sample_to_unit(*sample);
  }
}

void read_yuv(const std::uint8_t* luma, const std::uint8_t* cb_row, const std::uint8_t* cr_row,
              int chroma_step, const YuvColor& color, int width, float* row) {
  const YuvCoefficients k = yuv_coefficients(color);
  float* red = row;
  float* green = row + width;
  float* blue = green + width;
  for (int x = 0; x < width; ++x) {
    const std::ptrdiff_t sample = static_cast<std::ptrdiff_t>(x / 2) * chroma_step;
    const Rgb pixel = yuv_to_rgb(k, luma[x], cb_row[sample], cr_row[sample]);
    red[x] = pixel.r;
    green[x] = pixel.g;
    blue[x] = pixel.b;
  }
}

}  // namespace

void read_row_cpu(const Frame& frame, int y, float* row) {
  const auto line = [&frame](int plane, int line_y) {
    return frame.planes[plane].data + frame.planes[plane].stride * line_y;
  };
  const int width = frame.width;
  switch (frame.format) {
    case PixelFormat::gray8:
      return read_packed(line(0, y), width, 1, {0, 0, 0}, row);
    case PixelFormat::rgb:
      return read_packed(line(0, y), width, 3, {0, 1, 2}, row);
    case PixelFormat::bgr:
      return read_packed(line(0, y), width, 3, {2, 1, 0}, row);
    case PixelFormat::rgba:
      return read_packed(line(0, y), width, 4, {0, 1, 2}, row);
    case PixelFormat::bgra:
      return read_packed(line(0, y), width, 4, {2, 1, 0}, row);
    case PixelFormat::nv12:
      return read_yuv(line(0, y), line(1, y / 2), line(1, y / 2) + 1, 2, frame.color, width, row);
    case PixelFormat::i420:
      return read_yuv(line(0, y), line(1, y / 2), line(2, y / 2), 1, frame.color, width, row);
  }
}

}  // namespace smearscope::ops
