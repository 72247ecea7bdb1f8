// Paints cells as optical densities.
#pragma once

#include <vector>

#include "smear/cell.h"
#include "smear/stain.h"

namespace smearscope::smear {

// A piece of the slide: optical densities, `height` rows of `width` pixels of 3 floats (red, green, blue), no
// padding.
struct DensityCanvas {
  double left, top;  // slide position of the top left pixel's top left corner, um
  double pixel_um;
  int width, height;
  std::vector<float> densities;
};

// Adds a cell to the canvas (red cells as layers, see stain.h), as far as it lies on it. What a pixel gets
// depends on its place on the slide alone, so that canvases side by side fit together. Densities below zero
// (brighter than the empty field) occur in the thin halo around red cells, which reaches up to 0.5 um beyond
// the outline; everything else lies inside the outline.
void paint(const SlideCell& cell, const Stain& stain, DensityCanvas& canvas);

}  // namespace smearscope::smear
