// Reading image files.
#pragma once

#include <filesystem>
#include <opencv2/core/mat.hpp>
#include <optional>
#include <string>

#include "segmentation/foreground.h"
#include "smearscope/error.h"

namespace smearscope::corpus {

// 8-bit RGB, [height, width, 3], pixels as stored (an orientation in the file's metadata is not applied:
// boxes refer to stored pixels). Grey, 16-bit and CMYK files are converted. Throws Error, naming the file, if
// it is not an image, is larger than image_header.h allows, or ends before its pixels do.
cv::Mat read_image(const std::filesystem::path& file);

// ".jpg" of "a/B.JPG".
std::string lower_extension(const std::filesystem::path& file);

// One image file in memory: read once, for its digest, its pixels and its copy; decoded and segmented when
// that is asked for, once. One thread works on one of these.
class ImageFile {
 public:
  // Reads the bytes. Errors call the file `name`, or by its path. Throws Error if it can't be read or has
  // more than 512 MiB.
  explicit ImageFile(const std::filesystem::path& path, const std::string& name = "");

  const std::filesystem::path& path() const { return path_; }
  const std::string& bytes() const { return bytes_; }
  std::string sha256() const;  // 64 hex digits

  // Pixels, and colours as of read_image. Throw Error as it does.
  int width();
  int height();
  const cv::Mat& rgb();
  // 8-bit grey, decoded anew; a JPEG's at 1 / `reduction` of its size (1, 2, 4 or 8), which is much quicker,
  // other formats' at full size.
  cv::Mat grey(int reduction) const;
  const Foreground& foreground();                    // cells and background, as of find_foreground
  const std::optional<double>& red_cell_diameter();  // pixels, as of red_cell_diameter

 private:
  std::filesystem::path path_;
  std::string name_, bytes_;
  cv::Mat rgb_;
  std::optional<Foreground> foreground_;
  std::optional<std::optional<double>> red_cell_diameter_;
};

}  // namespace smearscope::corpus
