// Random changes of one training image that leave what is in it the same.
#pragma once

#include <opencv2/core/mat.hpp>
#include <vector>

#include "corpus/records.h"
#include "loop/random.h"
#include "loop/regimen.h"

namespace smearscope::training {

// image: 8-bit RGB, replaced by a new one, never written to. Boxes move with it.
void augment(cv::Mat& image, std::vector<corpus::Annotation>& annotations, const Augmentation& options,
             Random& random);

}  // namespace smearscope::training
