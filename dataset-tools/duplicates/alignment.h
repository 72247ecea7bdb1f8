#pragma once
#include <opencv2/core.hpp>
namespace smearscope::corpus {
// What is compared of a picture: 
struct View {
  cv::Mat1f pattern;
  int width = 0, height = 0;
};
View view_of(const cv::Mat& rgb);
struct Alignment {
  cv::Matx23d to_second;  // pixels of the views (unit squares scaled to side)
  double correlation = 0;
  double overlap_first = 0, overlap_second = 0;  // share of the first's (second's) area that lies in the other
};
extern int view_side; extern double view_sigma;
Alignment align(const View& first, const View& second, const cv::Matx23d& guess);
}  // namespace smearscope::corpus
