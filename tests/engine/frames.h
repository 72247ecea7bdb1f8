// Frames that own their pixels, in any format, with room after each row that must not matter.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "ops/transform.h"
#include "random_numbers.h"
#include "smearscope/frame.h"

namespace smearscope::testing {

inline const std::vector<PixelFormat>& all_formats() {
  static const std::vector<PixelFormat> formats{PixelFormat::gray8, PixelFormat::rgb,  PixelFormat::bgr,
                                                PixelFormat::rgba,  PixelFormat::bgra, PixelFormat::nv12,
                                                PixelFormat::i420};
  return formats;
}

class OwnedFrame {
 public:
  // All bytes, those between the rows too, are `fill`.
  OwnedFrame(PixelFormat format, int width, int height, int room = 0, std::uint8_t fill = 0) {
    frame_.format = format;
    frame_.width = width;
    frame_.height = height;
    for (int plane = 0; plane < plane_count(format); ++plane) {
      const std::ptrdiff_t stride = ops::row_bytes(format, plane, width) + room;
      const int rows = plane == 0 ? height : (height + 1) / 2;
      planes_[plane].assign(static_cast<std::size_t>(stride) * rows, fill);
      frame_.planes[plane] = {planes_[plane].data(), stride};
    }
  }
  OwnedFrame(const OwnedFrame&) = delete;
  OwnedFrame& operator=(const OwnedFrame&) = delete;

  Frame& frame() { return frame_; }
  const Frame& frame() const { return frame_; }
  std::uint8_t& byte(int plane, int y, std::ptrdiff_t offset) {
    return planes_[plane][static_cast<std::size_t>(y * frame_.planes[plane].stride + offset)];
  }

  void randomise(Random& random) {
    for (std::vector<std::uint8_t>& plane : planes_)
      for (std::uint8_t& byte : plane) byte = static_cast<std::uint8_t>(random.integer(0, 255));
  }

 private:
  Frame frame_;
  std::vector<std::uint8_t> planes_[3];
};

struct Rgb {
  int r, g, b;
};

// Writes a colour at (x, y); chroma planes get the colour of the last pixel written in their 2x2 block
// (limited or full range and matrix as in frame.color), computed in double precision from the definition of
// Y'CbCr.
inline void put_pixel(OwnedFrame& owned, int x, int y, Rgb colour) {
  const Frame& frame = owned.frame();
  const auto set = [&](int plane, int row, std::ptrdiff_t offset, int value) {
    owned.byte(plane, row, offset) = static_cast<std::uint8_t>(std::clamp(value, 0, 255));
  };
  const bool bt709 = frame.color.matrix == YuvColor::Matrix::bt709;
  const double kr = bt709 ? 0.2126 : 0.299, kb = bt709 ? 0.0722 : 0.114;
  const double luma = (kr * colour.r + (1 - kr - kb) * colour.g + kb * colour.b) / 255;
  const double cb = (colour.b / 255.0 - luma) / (2 * (1 - kb)),
               cr = (colour.r / 255.0 - luma) / (2 * (1 - kr));
  const bool full = frame.color.full_range;
  const int y_byte = static_cast<int>(std::lround(full ? 255 * luma : 16 + 219 * luma));
  const int cb_byte = static_cast<int>(std::lround(128 + (full ? 255 : 224) * cb));
  const int cr_byte = static_cast<int>(std::lround(128 + (full ? 255 : 224) * cr));
  switch (frame.format) {
    case PixelFormat::gray8:
      return set(0, y, x, static_cast<int>(std::lround(255 * luma)));
    case PixelFormat::rgb:
      return set(0, y, 3 * x, colour.r), set(0, y, 3 * x + 1, colour.g), set(0, y, 3 * x + 2, colour.b);
    case PixelFormat::bgr:
      return set(0, y, 3 * x, colour.b), set(0, y, 3 * x + 1, colour.g), set(0, y, 3 * x + 2, colour.r);
    case PixelFormat::rgba:
      return set(0, y, 4 * x, colour.r), set(0, y, 4 * x + 1, colour.g), set(0, y, 4 * x + 2, colour.b);
    case PixelFormat::bgra:
      return set(0, y, 4 * x, colour.b), set(0, y, 4 * x + 1, colour.g), set(0, y, 4 * x + 2, colour.r);
    case PixelFormat::nv12:
      return set(0, y, x, y_byte), set(1, y / 2, x / 2 * 2, cb_byte), set(1, y / 2, x / 2 * 2 + 1, cr_byte);
    case PixelFormat::i420:
      return set(0, y, x, y_byte), set(1, y / 2, x / 2, cb_byte), set(2, y / 2, x / 2, cr_byte);
  }
}

}  // namespace smearscope::testing
