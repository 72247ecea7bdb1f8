// What goes into the engine: a borrowed view of one video frame.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace smearscope {

// 8 bits per sample. NV12: plane 0 is Y, plane 1 interleaved UV at half size. I420: Y, U, V.
enum class PixelFormat { gray8, rgb, bgr, rgba, bgra, nv12, i420 };

enum class MemoryKind { host, cuda };

// How Y'CbCr becomes R'G'B' (ITU-R BT.601 or BT.709, limited 16..235 or full 0..255 range). Ignored for RGB and grey.
struct YuvColor {
  enum class Matrix { bt601, bt709 } matrix = Matrix::bt601;
  bool full_range = false;
};

struct Plane {
  const std::uint8_t* data = nullptr;
  std::ptrdiff_t stride = 0;  // bytes from one row to the next; at least the row's own bytes
};

// A view: owns nothing, and what it points to must stay as it is until the call that took it returns.
// Width and height are in pixels, at least 1; odd sizes are allowed (chroma planes then have (n + 1) / 2 samples).
// With MemoryKind::cuda the planes lie in the memory of the device on which the detector runs, and whatever writes them
// has finished.
struct Frame {
  PixelFormat format = PixelFormat::rgb;
  int width = 0;
  int height = 0;
  std::array<Plane, 3> planes{};
  YuvColor color{};
  MemoryKind memory = MemoryKind::host;
};

// Number of planes that `format` uses: 1, 2 (NV12) or 3 (I420).
int plane_count(PixelFormat format);

}  // namespace smearscope
