// Rectangles that somebody drew into a copy of a picture with a black pen, found by comparing the two.
#pragma once

#include <opencv2/core/mat.hpp>
#include <vector>

#include "corpus/records.h"
#include "smearscope/error.h"

namespace smearscope::corpus {

// The rectangles drawn into `labelled`, in pixels of `unlabelled` (both 8-bit RGB), top to bottom; none if
// there are none. A rectangle's box is the middle line of the pen, whatever its width: drawing programs
// centre the pen on the rectangle that is dragged with the mouse. Where a side lies outside the picture, the
// box ends at the border.
//
// The pen is black (up to grey 60) and 1 to 6 pixels wide in `labelled`; rectangles are upright and at least
// 15 pixels wide. They may touch, cross, nest and share sides. Throws Error (without names of files) if the
// two pictures are not the same one (alignment.h) or if what is drawn is no rectangles.
std::vector<Box> find_drawn_rectangles(const cv::Mat& labelled, const cv::Mat& unlabelled);

}  // namespace smearscope::corpus
