// Gaussian blur of interleaved RGB images in floats, in time that does not depend on its width.
#pragma once

#include <vector>

namespace smearscope::smear {

// `height` rows of `width` pixels of 3 floats, no padding.
struct FloatImage {
  int width = 0, height = 0;
  std::vector<float> values;
};

// Blurs by three extended box filters (Gwosdek et al., "Theoretical Foundations of Gaussian Convolution by
// Extended Box Filtering", 2011) of `sigma` pixels in all. Values beyond the edge are taken as the edge's. A
// pixel's new value depends on no pixel farther away than blur_reach(sigma). sigma <= 0 leaves the image as
// it is.
void blur(FloatImage& image, double sigma);

double blur_reach(double sigma);

}  // namespace smearscope::smear
