// What is cell and what is background in a picture of a blood smear.
#pragma once

#include <opencv2/core.hpp>
#include <vector>

namespace smearscope::corpus {

struct Foreground {
  cv::Mat1f contrast;  // cell_contrast, smoothed
  cv::Mat1b mask;      // 255: cell, 0: background
};

// Of an 8-bit RGB picture. Everything darker than the background is cell: red cells, white cells, platelets,
// dirt. Pale middles of red cells are holes in the mask.
Foreground find_foreground(const cv::Mat& rgb);

// Fills the pale middles of red cells, also where the rim is open by up to 3 pixels. `cell_area`: of a
// typical cell, square pixels. Gaps between touching cells, which have the cells bulging into them, stay
// open; but holes of up to 1.3 areas in which one of the `points` lies are pallors, whatever their shape.
void fill_pallor(cv::Mat1b& mask, double cell_area, const std::vector<cv::Point2d>& points = {});

}  // namespace smearscope::corpus
