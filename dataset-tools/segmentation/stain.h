// Colour of a stained smear as light absorbed, which adds up where cells lie on each other and does not
// depend on the lamp: optical density, -ln(intensity / intensity of the empty glass) (Beer-Lambert; Ruifrok &
// Johnston, 2001, use it to separate stains).
#pragma once

#include <array>
#include <opencv2/core/mat.hpp>

namespace smearscope::corpus {

// Colour of the empty glass (red, green, blue; 0..255) in an 8-bit RGB picture: per channel the median of the
// pixels that are about as bright as the brightest tenth. Needs a tenth of the picture to be empty.
std::array<double, 3> background_colour(const cv::Mat& rgb);

// Optical density of each channel: three 32-bit float planes, 0 on the empty glass, about 0.2 to 0.4 in red
// cells, above 1 in nuclei. Brighter than the background counts as background.
std::array<cv::Mat, 3> optical_density(const cv::Mat& rgb, const std::array<double, 3>& background);

}  // namespace smearscope::corpus
