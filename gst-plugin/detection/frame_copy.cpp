#include "detection/frame_copy.h"

#include <cstring>

namespace smearscope {
namespace {

struct PlaneSize {
  std::size_t row_bytes;
  std::size_t rows;
};

PlaneSize plane_size(const Frame& frame, int plane) {
  const auto width = static_cast<std::size_t>(frame.width), height = static_cast<std::size_t>(frame.height);
  const std::size_t half_width = (width + 1) / 2, half_height = (height + 1) / 2;
  switch (frame.format) {
    case PixelFormat::gray8:
      return {width, height};
    case PixelFormat::rgb:
    case PixelFormat::bgr:
      return {width * 3, height};
    case PixelFormat::rgba:
    case PixelFormat::bgra:
      return {width * 4, height};
    case PixelFormat::nv12:
      return plane == 0 ? PlaneSize{width, height} : PlaneSize{half_width * 2, half_height};
    case PixelFormat::i420:
      return plane == 0 ? PlaneSize{width, height} : PlaneSize{half_width, half_height};
  }
  return {0, 0};
}

int planes_of(PixelFormat format) {
  return format == PixelFormat::nv12 ? 2 : format == PixelFormat::i420 ? 3 : 1;
}

}  // namespace

void FrameCopy::assign(const Frame& frame) {
  const int planes = planes_of(frame.format);
  std::size_t total = 0;
  for (int i = 0; i < planes; ++i) total += plane_size(frame, i).row_bytes * plane_size(frame, i).rows;
  bytes_.resize(total);

  view_ = frame;
  std::uint8_t* out = bytes_.data();
  for (int i = 0; i < planes; ++i) {
    const Plane& plane = frame.planes[static_cast<std::size_t>(i)];
    const PlaneSize size = plane_size(frame, i);
    view_.planes[static_cast<std::size_t>(i)] = {out, static_cast<std::ptrdiff_t>(size.row_bytes)};
    const std::uint8_t* row = plane.data;
    for (std::size_t y = 0; y < size.rows; ++y, row += plane.stride, out += size.row_bytes) {
      std::memcpy(out, row, size.row_bytes);
    }
  }
}

}  // namespace smearscope
