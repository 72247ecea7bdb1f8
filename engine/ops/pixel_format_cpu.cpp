// Step 1 of preprocess: one row of a frame of any format to R, G, B in 0..1.
#include <algorithm>
#include <array>

#include "ops/preprocess.h"

namespace smearscope::ops {
namespace {

void read_packed(const std::uint8_t* pixel, int width, int bytes, std::array<int, 3> offsets, float* row) {
  for (int channel = 0; channel < 3; ++channel) {
    const std::uint8_t* sample = pixel + offsets[channel];
    float* out = row + static_cast<std::ptrdiff_t>(channel) * width;
    for (int x = 0; x < width; ++x, sample += bytes) out[x] = static_cast<float>(*sample) / 255.0F;
  }
}

// R' = y + red_cr * cr, G' = y + green_cb * cb + green_cr * cr, B' = y + blue_cb * cb, with y, cb and cr
// scaled so that black..white is 0..1 and chroma is -0.5..0.5.
struct YuvCoefficients {
  float luma_offset, luma_scale, chroma_scale, red_cr, green_cb, green_cr, blue_cb;

  explicit YuvCoefficients(const YuvColor& color) {
    const bool bt709 = color.matrix == YuvColor::Matrix::bt709;
    const double kr = bt709 ? 0.2126 : 0.299;
    const double kb = bt709 ? 0.0722 : 0.114;
    const double kg = 1 - kr - kb;
    luma_offset = color.full_range ? 0.0F : 16.0F;
    luma_scale = color.full_range ? 1 / 255.0F : 1 / 219.0F;
    chroma_scale = color.full_range ? 1 / 255.0F : 1 / 224.0F;
    red_cr = static_cast<float>(2 * (1 - kr));
    green_cb = static_cast<float>(-2 * kb * (1 - kb) / kg);
    green_cr = static_cast<float>(-2 * kr * (1 - kr) / kg);
    blue_cb = static_cast<float>(2 * (1 - kb));
  }
};

float unit(float value) {
  return std::min(std::max(value, 0.0F), 1.0F);
}

void read_yuv(const std::uint8_t* luma, const std::uint8_t* cb_row, const std::uint8_t* cr_row,
              int chroma_step, const YuvColor& color, int width, float* row) {
  const YuvCoefficients k(color);
  float* red = row;
  float* green = row + width;
  float* blue = green + width;
  for (int x = 0; x < width; ++x) {
    const std::ptrdiff_t sample = static_cast<std::ptrdiff_t>(x / 2) * chroma_step;
    const float y = (static_cast<float>(luma[x]) - k.luma_offset) * k.luma_scale;
    const float cb = (static_cast<float>(cb_row[sample]) - 128.0F) * k.chroma_scale;
    const float cr = (static_cast<float>(cr_row[sample]) - 128.0F) * k.chroma_scale;
    red[x] = unit(y + k.red_cr * cr);
    green[x] = unit(y + k.green_cb * cb + k.green_cr * cr);
    blue[x] = unit(y + k.blue_cb * cb);
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
