// Pictures of red cells whose places and sizes are known.
#pragma once

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

namespace smearscope::testing {

struct Stain {
  cv::Vec3d background, cell;  // RGB
  double fall_off = 0;         // of the light from the left to the right, 0..1
  double noise = 2;            // standard deviation
};

// `mask`: 255 where there is a cell. Edges are as soft as a microscope's.
inline cv::Mat paint_smear(const cv::Mat1b& mask, const Stain& stain = {{190, 200, 195}, {150, 120, 130}}) {
  cv::Mat1f cell;
  mask.convertTo(cell, CV_32F, 1 / 255.0);
  cv::GaussianBlur(cell, cell, {}, 0.8);
  cv::Mat3b rgb(mask.size());
  cv::RNG random(7);
  for (int y = 0; y < mask.rows; ++y) {
    for (int x = 0; x < mask.cols; ++x) {
      const double light = 1 - stain.fall_off * x / mask.cols;
      for (int c = 0; c < 3; ++c) {
        const double value = stain.background[c] + (stain.cell[c] - stain.background[c]) * double(cell(y, x));
        rgb(y, x)[c] = cv::saturate_cast<unsigned char>(light * value + random.gaussian(stain.noise));
      }
    }
  }
  return rgb;
}

}  // namespace smearscope::testing
