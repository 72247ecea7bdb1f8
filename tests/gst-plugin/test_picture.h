// Pictures for tests of the elements: a frame that owns its pixels, and a texture to look at through it.
#pragma once

#include <cmath>
#include <cstdint>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "smearscope/frame.h"

namespace smearscope::testing {

// A grey slide of blurred noise: contrast at all scales, nothing that repeats.
inline cv::Mat textured_slide(int width, int height, unsigned seed, double blur = 2) {
  cv::RNG random(seed);
  cv::Mat slide(height, width, CV_8UC1);
  random.fill(slide, cv::RNG::UNIFORM, 0, 256);
  cv::GaussianBlur(slide, slide, cv::Size(), blur);
  cv::normalize(slide, slide, 20, 235, cv::NORM_MINMAX);
  return slide;
}

// What a camera of that size sees when its top left corner is at (x, y) of the slide.
inline cv::Mat view_at(const cv::Mat& slide, double x, double y, int width, int height) {
  const cv::Mat move = (cv::Mat_<double>(2, 3) << 1, 0, -x, 0, 1, -y);
  cv::Mat view;
  cv::warpAffine(slide, view, move, cv::Size(width, height), cv::INTER_LINEAR);
  return view;
}

// The picture must outlive the frame.
inline Frame frame_of(const cv::Mat& picture) {
  Frame frame;
  frame.format = picture.channels() == 1 ? PixelFormat::gray8 : PixelFormat::bgr;
  frame.width = picture.cols;
  frame.height = picture.rows;
  frame.planes[0] = {picture.data, static_cast<std::ptrdiff_t>(picture.step)};
  return frame;
}

}  // namespace smearscope::testing
