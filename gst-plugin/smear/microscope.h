// The microscope: slide, optics and camera together give the picture and the truth about it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "smear/blur.h"
#include "smear/cell.h"
#include "smear/sensor.h"
#include "smear/slide.h"
#include "smear/stain.h"
#include "smear/tiles.h"

namespace smearscope::smear {

struct MicroscopeSettings {
  SlideSettings slide;
  StainKind stain = StainKind::wright;
  SensorSettings sensor;
  int width = 640, height = 480;  // pixels
  double pixel_um = 0.073;
};

// What is under the objective: slide position of the field's top left corner, distance from best focus, frame
// number.
struct View {
  double x_um, y_um, focus_um;
  std::uint64_t frame;
};

// A cell in the field. The box is the extent of its painted part in the field, in pixels (0 is the field's
// left or top edge, so 0 <= x_min < x_max <= width), wherever it lies in the stack: cells let light through.
struct SeenCell {
  double x_min, y_min, x_max, y_max;
  CellClass cell_class;
  CellKind kind;
  std::uint64_t identity;
  double slide_x_um, slide_y_um;  // centre
  double visible;                 // share of its area inside the field, (0, 1]
};

// Not thread-safe. The same settings and view give the same bits, whatever was looked at before.
class Microscope {
 public:
  explicit Microscope(const MicroscopeSettings& settings);

  // Paints what render() of this view will need, which takes a while (a quarter of a second) where the stage
  // arrives anew.
  void prepare(const View& view);

  // Fills `height` rows of `width` RGB pixels, `stride` bytes apart.
  void render(const View& view, std::uint8_t* rgb, std::ptrdiff_t stride);

  // All cells of which anything lies in the field.
  std::vector<SeenCell> cells(const View& view);

 private:
  int load(const View& view);

  MicroscopeSettings settings_;
  Stain stain_;
  Tiles tiles_;
  Sensor sensor_;
  std::vector<std::uint16_t> window_;  // scratch, kept between frames
  FloatImage light_;
};

}  // namespace smearscope::smear
