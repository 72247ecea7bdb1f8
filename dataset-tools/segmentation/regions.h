// Regions as masks (8-bit, 0 or 255), and what segmentation does with them.
#pragma once

#include <opencv2/core/mat.hpp>

namespace smearscope::corpus {

// Holes that are not joined (4-neighbours) to the mask's border become part of the region around them.
void fill_holes(cv::Mat& mask);

// Morphological opening and closing with a disc; radius in pixels.
cv::Mat open_with_disc(const cv::Mat& mask, int radius);
cv::Mat close_with_disc(const cv::Mat& mask, int radius);

// Parts of the mask as labels 1, 2, ... (32-bit; 0 outside), cut at narrow necks: the watershed of the
// distance to the outside, in which two parts are one unless the neck between them is narrower than `neck`
// (0..1) times the narrower part. Where the neck lies in `core`, `core_neck` holds instead.
cv::Mat split_at_necks(const cv::Mat& mask, double neck, const cv::Mat& core, double core_neck);

}  // namespace smearscope::corpus
