#include "corpus/image_io.h"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "corpus/image_header.h"
#include "corpus/jpeg.h"
#include "model/checksum.h"
#include "segmentation/diameter.h"

namespace smearscope::corpus {
namespace {

constexpr std::uintmax_t largest_file = std::uintmax_t(512) << 20;  // bytes

std::string read_bytes(const std::filesystem::path& file, const std::string& name) {
  std::error_code problem;
  if (!std::filesystem::is_regular_file(file, problem)) throw Error(name + ": no such image file");
  const std::uintmax_t size = std::filesystem::file_size(file, problem);
  if (problem) throw Error(name + ": cannot read the file: " + problem.message());
  if (size > largest_file) throw Error(name + ": has more than 512 MiB, which no image may");
  std::ifstream in(file, std::ios::binary);
  std::string bytes(static_cast<std::size_t>(size), '\0');
  if (!in.read(bytes.data(), static_cast<std::streamsize>(bytes.size())))
    throw Error(name + ": cannot read the file");
  return bytes;
}

// By OpenCV; `mode` as cv::imread has it. The orientation in the file's metadata is not applied.
cv::Mat decode_by_opencv(const std::string& bytes, int mode) {
  cv::Mat image;
  try {
    const cv::Mat encoded(1, static_cast<int>(bytes.size()), CV_8U, const_cast<char*>(bytes.data()));
    image = cv::imdecode(encoded, mode | cv::IMREAD_IGNORE_ORIENTATION);
  } catch (const cv::Exception&) {
    image.release();
  }
  if (image.empty()) throw Error("not an image that can be read (it is broken behind its header)");
  return image;
}

cv::Mat decoded(const std::string& bytes) {
  const ImageHeader header = read_image_header(bytes);
  check_size(header);
  cv::Mat rgb;
  if (header.format == ImageFormat::jpeg) rgb = decode_jpeg(bytes);
  if (rgb.empty()) cv::cvtColor(decode_by_opencv(bytes, cv::IMREAD_COLOR), rgb, cv::COLOR_BGR2RGB);
  if (rgb.cols != header.width || rgb.rows != header.height)
    throw Error("has " + std::to_string(rgb.cols) + "x" + std::to_string(rgb.rows) +
                " pixels, but its header says " + std::to_string(header.width) + "x" +
                std::to_string(header.height));
  return rgb;
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

ImageFile::ImageFile(const std::filesystem::path& path, const std::string& name)
    : path_(path), name_(name.empty() ? path.string() : name), bytes_(read_bytes(path, name_)) {}

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
  try {
    rgb_ = decoded(bytes_);
  } catch (const Error& problem) {
    throw Error(name_ + ": " + problem.what());
  }
  return rgb_;
}

cv::Mat ImageFile::grey(int reduction) const {
  try {
    const ImageHeader header = read_image_header(bytes_);
    check_size(header);
    const int mode = header.format != ImageFormat::jpeg || reduction == 1 ? cv::IMREAD_GRAYSCALE
                     : reduction == 2                                     ? cv::IMREAD_REDUCED_GRAYSCALE_2
                     : reduction == 4                                     ? cv::IMREAD_REDUCED_GRAYSCALE_4
                                                                          : cv::IMREAD_REDUCED_GRAYSCALE_8;
    return decode_by_opencv(bytes_, mode);
  } catch (const Error& problem) {
    throw Error(name_ + ": " + problem.what());
  }
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
