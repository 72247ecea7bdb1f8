// Decoding image files.
#pragma once

#include <filesystem>
#include <opencv2/core/mat.hpp>

#include "smearscope/error.h"

namespace smearscope::corpus {

// 8-bit RGB, [height, width, 3], pixels as stored (an orientation in the file's metadata is not applied:
// boxes refer to stored pixels). Grey, 16-bit and CMYK files are converted. Throws Error, naming the file, if
// it is not an image.
cv::Mat read_image(const std::filesystem::path& file);

}  // namespace smearscope::corpus
