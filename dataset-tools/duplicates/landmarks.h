// Points of a picture that are found again in its copies.
#pragma once

#include <opencv2/core/mat.hpp>
#include <vector>

namespace smearscope::corpus {

// The middle of a blob that is darker or lighter than what is around it: a nucleus or a lobe of one, a red
// cell, its pale middle, a gap between cells.
struct Landmark {
  float x = 0, y = 0;  // pixels, continuous coordinates
  float strength = 0;  // grey levels
  bool dark = false;
};

// The strongest landmarks first, at most `most`, none within 4 pixels of a stronger one. They are extrema of
// a difference-of-Gaussians pyramid over place and scale (Lowe, 2004) that covers blobs of about 5 to 20
// pixels across: `grey` (0..255) is a small version of the picture.
std::vector<Landmark> find_landmarks(const cv::Mat1f& grey, std::size_t most);

}  // namespace smearscope::corpus
