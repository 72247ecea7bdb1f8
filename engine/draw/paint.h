// Puts flat rectangles and small pictures onto an image of any component layout, in place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "draw/palette.h"
#include "draw/text.h"

namespace smearscope::draw {

// A flat rectangle of `color` and `alpha`, or, where `patch` is set, that picture with its top left corner at x, y.
// Pixels of the frame; parts outside it are not drawn. `patch` belongs to the TextCache that made it.
struct Item {
  int x = 0, y = 0, width = 0, height = 0;
  Color color;
  std::uint8_t alpha = 255;
  const Patch* patch = nullptr;
};

// One component of an image: all its samples of R, or Y, or alpha. Samples of 8 bits lie in bytes, those of 9 to 16
// bits in 16-bit words. The code value of a colour R, G, B (each 0..1) is offset + red * R + green * G + blue * B,
// between 0 and 2^bits - 1; so any RGB, grey or Y'CbCr encoding is four numbers, and opaque alpha is an offset.
struct Component {
  std::uint8_t* data = nullptr;                     // the sample of column 0, row 0
  std::ptrdiff_t row_stride = 0, pixel_stride = 0;  // bytes
  int column_shift = 0, row_shift = 0;  // subsampling: one sample stands for 2^shift columns, rows
  int bits = 8;
  int shift = 0;  // unused low bits in a 16-bit word
  bool big_endian = false;
  float offset = 0, red = 0, green = 0, blue = 0;

  bool same_encoding(const Component& other) const;
};

struct Canvas {
  int width = 0, height = 0;  // pixels
  std::vector<Component> components;
};

// Canvas over packed 8-bit BGR, as OpenCV has it.
Canvas bgr_canvas(std::uint8_t* data, int width, int height, std::ptrdiff_t stride);

// Paints items in order. Pictures are converted to the canvas's components once and kept. One thread at a time.
class Painter {
 public:
  Painter();
  ~Painter();
  Painter(const Painter&) = delete;
  Painter& operator=(const Painter&) = delete;

  void paint(const Canvas& canvas, const std::vector<Item>& items);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace smearscope::draw
