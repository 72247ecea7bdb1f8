#include "corpus/image_io.h"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "model/checksum.h"
#include "segmentation/diameter.h"

namespace smearscope::corpus {
namespace {

std::string read_bytes(const std::filesystem::path& file) {
  if (!std::filesystem::is_regular_file(file)) throw Error(file.string() + ": no such image file");
  std::ifstream in(file, std::ios::binary);
  std::string bytes(std::filesystem::file_size(file), '\0');
  if (!in.read(bytes.data(), static_cast<std::streamsize>(bytes.size())))
    throw Error(file.string() + ": cannot read the file");
  return bytes;
}

}  // namespace

std::string lower_extension(const std::filesystem::path& file) {
  std::string extension = file.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension;
}

cv::Mat read_image(const std::filesystem::path& file) {
  return ImageFile(file).rgb();
}

ImageFile::ImageFile(const std::filesystem::path& path) : path_(path), bytes_(read_bytes(path)) {}

std::string ImageFile::sha256() const {
  Sha256 sum;
  sum.add(bytes_.data(), bytes_.size());
  return sum.finish();
}

int ImageFile::width() {
  return rgb().cols;
}

int ImageFile::height() {
  return rgb().rows;
}

const cv::Mat& ImageFile::rgb() {
  if (!rgb_.empty()) return rgb_;
  cv::Mat image;
  try {
    const cv::Mat bytes(1, static_cast<int>(bytes_.size()), CV_8U, bytes_.data());
    image = cv::imdecode(bytes, cv::IMREAD_COLOR | cv::IMREAD_IGNORE_ORIENTATION);
  } catch (const cv::Exception&) {
    image.release();  // too large, or broken in a way that OpenCV throws for
  }
  if (image.empty())
    throw Error(path_.string() + ": not an image that can be read (broken, or an unknown format)");
  cv::cvtColor(image, rgb_, cv::COLOR_BGR2RGB);
  return rgb_;
}

const Foreground& ImageFile::foreground() {
  if (!foreground_) foreground_ = find_foreground(rgb());
  return *foreground_;
}

const std::optional<double>& ImageFile::red_cell_diameter() {
  if (!red_cell_diameter_) red_cell_diameter_ = corpus::red_cell_diameter(foreground());
  return *red_cell_diameter_;
}

}  // namespace smearscope::corpus
