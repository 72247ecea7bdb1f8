// What a black pen drew into a copy of a picture, pixel by pixel.
#pragma once

#include <opencv2/core.hpp>

namespace smearscope::corpus {

// What says that a pixel of the copy was drawn upon, or that it wasn't; all [height, width] of the pictures
// compared. Evidence has units of 1/64: up to 35 for black on bright, down to -29 where the copy is as bright
// as the picture, 0 where the two can't be told apart (the picture is as dark as the pen) and where less than
// half was covered.
struct PenEvidence {
  cv::Mat1s evidence;
  cv::Mat1b ink;      // 1: evidence above 0
  cv::Mat1b unknown;  // 1: the picture is as dark as the pen
  int grey = 0;       // of the pen
};

// Of two 8-bit grey pictures of one size that show the same, pixel on pixel. The darkness of the pen (0..60)
// is estimated from what was drawn over bright places; without any such place there is no evidence: the
// matrices are empty.
PenEvidence pen_evidence(const cv::Mat1b& copy, const cv::Mat1b& picture);

}  // namespace smearscope::corpus
