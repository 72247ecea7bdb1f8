// Colours and pictures as samples of one plane, ready to blend. Internal to engine/draw.
#pragma once

#include <cstdint>
#include <vector>

#include "draw/paint.h"

namespace smearscope::draw {

// Rows of samples, dense: destination = value + destination * (255 - alpha) / 255.
// value <= largest code value * alpha / 255. Samples that stay as they are have value and alpha 0.
// An 8-bit plane uses value8, any other value16.
struct Samples {
  int width = 0, height = 0;
  std::vector<std::uint8_t> alpha, value8;
  std::vector<std::uint16_t> value16;
};

// How a plane's samples stand to columns of pixels: `samples` of them hold 2^shift columns.
struct Unit {
  int shift = 0, samples = 1;
};
Unit unit_of(const CanvasPlane& plane);

inline int extent(int pixels, int shift) {
  return (pixels + (1 << shift) - 1) >> shift;
}

// `patch` with its first pixel phase_x, phase_y pixels into a unit. Each sample is the mean of its pixels;
// those outside the patch count as transparent.
Samples convert(const Patch& patch, const CanvasPlane& plane, int phase_x, int phase_y);

// One row of a flat colour over pixels [begin, end) of the frame, from the unit that holds `begin` on.
// `share`: how much of the row is covered, 0..1. Reuses the memory of `row`.
void convert_flat(const Item& item, const CanvasPlane& plane, int begin, int end, float share, Samples& row);

// Blends `count` samples into a plane's row from `destination` on; `from` indexes into `samples`.
void blend_row(const CanvasPlane& plane, std::uint8_t* destination, const Samples& samples, std::size_t from,
               int count);

}  // namespace smearscope::draw
