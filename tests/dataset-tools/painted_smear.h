// Pictures of red cells whose places and sizes are known.
#pragma once

#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <vector>

namespace smearscope::testing {

struct Stain {
  cv::Vec3d background, cell;  // RGB
  double fall_off = 0;         // of the light from the left to the right, 0..1
  double noise = 2;            // standard deviation
};

// `layers`: each 255 where it has a cell; where cells lie on each other, each takes its share of the light.
// Edges are as soft as a microscope's.
inline cv::Mat paint_layers(const std::vector<cv::Mat1b>& layers, const cv::Size& size,
                            const Stain& stain = {{190, 200, 195}, {150, 120, 130}}) {
  cv::Mat1f cells = cv::Mat1f::zeros(size);
  for (const cv::Mat1b& layer : layers) {
    cv::Mat1f cell;
    layer.convertTo(cell, CV_32F, 1 / 255.0);
    cv::GaussianBlur(cell, cell, {}, 0.8);
    cells += cell;
  }
  cv::Mat3b rgb(size);
  cv::RNG random(7);
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) {
      const double light = 1 - stain.fall_off * x / size.width;
      for (int c = 0; c < 3; ++c) {
        const double value =
            stain.background[c] * std::pow(double(stain.cell[c]) / stain.background[c], double(cells(y, x)));
        rgb(y, x)[c] = cv::saturate_cast<unsigned char>(light * value + random.gaussian(stain.noise));
      }
    }
  }
  return rgb;
}

// `mask`: 255 where there is a cell.
inline cv::Mat paint_smear(const cv::Mat1b& mask, const Stain& stain = {{190, 200, 195}, {150, 120, 130}}) {
  return paint_layers({mask}, mask.size(), stain);
}

}  // namespace smearscope::testing
