#include "ops/transform.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace smearscope {

int plane_count(PixelFormat format) {
  switch (format) {
    case PixelFormat::nv12:
      return 2;
    case PixelFormat::i420:
      return 3;
    default:
      return 1;
  }
}

std::optional<std::array<double, 2>> known_red_cells(const ModelInfo& info, int width, int height) {
  if (!info.red_cell_sides) return std::nullopt;
  std::array<double, 2> shares = *info.red_cell_sides;
  for (double& share : shares) share /= ops::resized_size({width, height}, info.transform).height;
  return shares;
}

namespace ops {

Size resized_size(Size frame, const Transform& transform) {
  const double shorter = std::min(frame.width, frame.height);
  const double longer = std::max(frame.width, frame.height);
  const double scale = std::min(transform.min_side / shorter, transform.max_side / longer);
  const auto side = [scale](int length) { return std::max(1, static_cast<int>(length * scale)); };
  return {side(frame.width), side(frame.height)};
}

Size padded_size(Size resized) {
  const auto pad = [](int length) { return (length + 31) / 32 * 32; };
  return {pad(resized.width), pad(resized.height)};
}

std::ptrdiff_t row_bytes(PixelFormat format, int plane, int width) {
  const std::ptrdiff_t columns = width;
  switch (format) {
    case PixelFormat::gray8:
      return columns;
    case PixelFormat::rgb:
    case PixelFormat::bgr:
      return 3 * columns;
    case PixelFormat::rgba:
    case PixelFormat::bgra:
      return 4 * columns;
    case PixelFormat::nv12:
      return plane == 0 ? columns : (columns + 1) / 2 * 2;
    case PixelFormat::i420:
      return plane == 0 ? columns : (columns + 1) / 2;
  }
  throw Error("frame has an unknown pixel format; use one of those in smearscope/frame.h");
}

void check_frame(const Frame& frame) {
  if (frame.width < 1 || frame.height < 1)
    throw Error("frame is " + std::to_string(frame.width) + "x" + std::to_string(frame.height) +
                " pixels; both sides must be at least 1");
  for (int plane = 0; plane < plane_count(frame.format); ++plane) {
    const std::string name = "plane " + std::to_string(plane) + " of the frame";
    const std::ptrdiff_t needed = row_bytes(frame.format, plane, frame.width);
    if (!frame.planes[plane].data) throw Error(name + " has no data; set its address and stride");
    if (frame.planes[plane].stride < needed)
      throw Error(name + " has a stride of " + std::to_string(frame.planes[plane].stride) +
                  " bytes, but a row needs " + std::to_string(needed));
  }
}

}  // namespace ops
}  // namespace smearscope
