// How much a pixel looks like cell rather than background, whatever the stain, the light and the camera.
#pragma once

#include <opencv2/core.hpp>

namespace smearscope::corpus {

// For each pixel of an 8-bit RGB picture of a smear: about 0 on the background, above 1 in red cells and in
// anything darker. Pale middles of red cells may be as low as the background.
//
// Absorbance, ln(background / pixel) per colour (Lambert and Beer), against a background fitted as a
// quadratic surface; seen along the colour direction that tells cells from background best (Fisher's linear
// discriminant); scaled so that 1 is the threshold between them (Otsu's method). Nuclei, far darker than red
// cells, and black dirt take no part in the fit.
cv::Mat1f cell_contrast(const cv::Mat& rgb);

}  // namespace smearscope::corpus
