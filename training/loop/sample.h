// One training image with what is known of it.
#pragma once

#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "corpus/records.h"

namespace smearscope::training {

struct Sample {
  std::string file;
  cv::Mat image;  // 8-bit RGB; may be shared, is never written to
  std::vector<corpus::Annotation> annotations;
  std::vector<corpus::Box> ignore_regions;  // cells in here may have no box
  std::vector<int> open_classes;            // 0-based: cells of these may have no box, anywhere else
  double pixel_size_um = 0;                 // 0: unknown
};

}  // namespace smearscope::training
