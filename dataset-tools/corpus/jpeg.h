// JPEG files -> pixels. OpenCV's decoder fills what a file doesn't have with grey and says so on standard
// error; this one makes an error of it.
#pragma once

#include <opencv2/core/mat.hpp>
#include <string_view>

#include "smearscope/error.h"

namespace smearscope::corpus {

// 8-bit RGB, [height, width, 3], the same as cv::imdecode has; an empty matrix where the file's colours are
// not grey, YCbCr or RGB. Throws Error, without the file's name, if it is no JPEG file, its data end before
// its pixels do or are damaged, or it has data for many more pixels than its header says. Thread-safe.
cv::Mat decode_jpeg(std::string_view bytes);

}  // namespace smearscope::corpus
