// Where a frame's brightness lies: luma, or green, in which stained cells have the most contrast.
#pragma once

#include <cstddef>
#include <cstdint>

#include "smearscope/frame.h"

namespace smearscope {

// The first sample of the first row; the frame's planes own it.
struct GreySamples {
  const std::uint8_t* data;
  std::ptrdiff_t stride;
  int pixel_bytes;
};

inline GreySamples grey_samples(const Frame& frame) {
  const Plane& plane = frame.planes[0];
  switch (frame.format) {
    case PixelFormat::rgb:
    case PixelFormat::bgr:
      return {plane.data + 1, plane.stride, 3};
    case PixelFormat::rgba:
    case PixelFormat::bgra:
      return {plane.data + 1, plane.stride, 4};
    case PixelFormat::gray8:
    case PixelFormat::nv12:
    case PixelFormat::i420:
      break;
  }
  return {plane.data, plane.stride, 1};
}

}  // namespace smearscope
