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
// it is not an image.
cv::Mat read_image(const std::filesystem::path& file);

// ".jpg" of "a/B.JPG".
std::string lower_extension(const std::filesystem::path& file);

// One image file in memory: read once, for its digest, its pixels and its copy; decoded and segmented when
// that is asked for, once. One thread works on one of these.
class ImageFile {
 public:
  // Reads the bytes. Throws Error, naming the file, if it can't be read.
  explicit ImageFile(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  const std::string& bytes() const { return bytes_; }
  std::string sha256() const;  // 64 hex digits

  // Pixels, and colours as of read_image. Throw Error, naming the file, if it is not an image.
  int width();
  int height();
  const cv::Mat& rgb();
  const Foreground& foreground();                    // cells and background, as of find_foreground
  const std::optional<double>& red_cell_diameter();  // pixels, as of red_cell_diameter

 private:
  std::filesystem::path path_;
  std::string bytes_;
  cv::Mat rgb_;
  std::optional<Foreground> foreground_;
  std::optional<std::optional<double>> red_cell_diameter_;
};

}  // namespace smearscope::corpus
