// The size of red cells gives the scale of a picture: they are about 7.5 micrometres wide.
#pragma once

#include <opencv2/core.hpp>
#include <optional>

#include "segmentation/foreground.h"

namespace smearscope::corpus {

// Pixels, of the disc with the area of a typical red cell in the 8-bit RGB picture: the median, by area, of
// the blobs that are whole, alone, roundish and not much darker than the others (nuclei are). Nothing if
// there are fewer than two such blobs of one size, or if they are specks between much larger cells.
std::optional<double> red_cell_diameter(const cv::Mat& rgb);
std::optional<double> red_cell_diameter(const Foreground& foreground);

}  // namespace smearscope::corpus
