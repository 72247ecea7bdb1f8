// A picture and its copy that somebody edited: where one lies on the other.
#pragma once

#include <opencv2/core.hpp>

#include "smearscope/error.h"

namespace smearscope::corpus {

// The part that both show, pixel on pixel, at the copy's scale: two 8-bit grey pictures of one size. A point
// (x, y) of it, in continuous coordinates, is (scale_x * x + shift_x, scale_y * y + shift_y) in the picture.
struct AlignedCopy {
  cv::Mat1b copy, picture;
  double scale_x = 1, scale_y = 1, shift_x = 0, shift_y = 0;
};

// Finds out whether `copy` is `picture` (both 8-bit grey) as it is, at another scale of the same aspect, or
// cropped or shifted by up to 48 pixels, with something drawn on it or not. Throws Error (without names of
// files) if the sizes tell that it is none of these, if the two show different things, or if the shift is not
// certain.
AlignedCopy align_copy(const cv::Mat1b& copy, const cv::Mat1b& picture);

}  // namespace smearscope::corpus
