// What is cell and what is background in a picture of a blood smear.
#pragma once

#include <opencv2/core.hpp>

namespace smearscope::corpus {

struct Foreground {
  cv::Mat1f contrast;  // cell_contrast, smoothed
  cv::Mat1b mask;      // 255: cell, 0: background
};

// Of an 8-bit RGB picture. Everything darker than the background is cell: red cells, white cells, platelets,
// dirt. Pale middles of red cells are holes in the mask.
Foreground find_foreground(const cv::Mat& rgb);

// Fills the pale middles of red cells, and closes gaps in their rims of up to 4 pixels. `cell_area`: of a
// typical cell, square pixels. Gaps between touching cells, which have the cells bulging into them, stay
// open.
void fill_pallor(cv::Mat1b& mask, double cell_area);

}  // namespace smearscope::corpus
