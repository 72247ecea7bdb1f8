// Puts flat rectangles and small pictures onto an image of any component layout, in place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "draw/palette.h"
#include "draw/text.h"

namespace smearscope::draw {

// A flat rectangle of `color` and `alpha`, or, where `patch` is set, that picture with its top left corner at
// x, y. Pixels of the frame; parts outside it are not drawn. `patch` belongs to the TextCache that made it.
struct Item {
  int x = 0, y = 0, width = 0, height = 0;
  Color color;
  std::uint8_t alpha = 255;
  const Patch* patch = nullptr;
};

// One component of an image, R, or Y, or alpha: where its samples lie in a plane's rows, and what they mean.
// The code value of a colour R, G, B (each 0..1) is constant + red * R + green * G + blue * B, between 0 and
// 2^bits - 1; so any RGB, grey or Y'CbCr encoding is four numbers, and opaque alpha is a constant.
struct Component {
  int first = 0, step = 1;  // samples of the plane's row: the component's first one, and from one to the next
  int column_shift = 0;     // one sample stands for 2^column_shift columns of pixels
  float constant = 0, red = 0, green = 0, blue = 0;
};

// One plane: rows of samples, 8 bits in bytes, or 9 to 16 bits in 16-bit words. Samples of no component stay
// as they are. step << (largest column_shift - column_shift) is the same for all components of a plane.
struct CanvasPlane {
  std::uint8_t* data = nullptr;
  std::ptrdiff_t stride = 0;  // bytes
  int row_samples = 0;        // samples of a row that may be written
  int row_shift = 0;          // one row stands for 2^row_shift rows of pixels
  int bits = 8;
  int low_bits = 0;  // unused bits below the value in a 16-bit word
  bool big_endian = false;
  std::vector<Component> components;

  bool same_encoding(const CanvasPlane& other) const;  // all but data, stride and row_samples
};

struct Canvas {
  int width = 0, height = 0;  // pixels
  std::vector<CanvasPlane> planes;
};

// Canvas over packed 8-bit BGR, as OpenCV has it.
Canvas bgr_canvas(std::uint8_t* data, int width, int height, std::ptrdiff_t stride);

// Paints items in order. Pictures are converted to the canvas's samples once and kept. One thread at a time.
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
