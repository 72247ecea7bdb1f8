// Reading an image file as pixels that the engine takes.
#pragma once

#include <opencv2/core/mat.hpp>
#include <string>

#include "smearscope/frame.h"

namespace smearscope::detect {

// Pixels as they are stored: 8 bits, one channel (grey) or three (BGR).
//   16 bits are scaled from the full range 0..65535; alpha is dropped; CMYK JPEG becomes RGB; of a file with
//   several pages the first is read. The EXIF orientation is not applied: boxes are in pixels of the file as
//   it is stored, as COCO, torchvision and most labelling files have it.
struct Image {
  cv::Mat pixels;
  std::string warning;  // empty, or one line on what looks wrong

  Frame frame() const;  // valid as long as pixels
};

// Throws Error if the file can't be opened, is not a regular file, is not an image OpenCV can read, or is cut
// off.
Image read_image(const std::string& path);

// Whether a file of this name in a folder is taken for an image, by its extension; hidden files are not.
bool is_image_name(const std::string& name);

}  // namespace smearscope::detect
