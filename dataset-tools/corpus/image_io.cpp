#include "corpus/image_io.h"

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

namespace smearscope::corpus {

cv::Mat read_image(const std::filesystem::path& file) {
  if (!std::filesystem::is_regular_file(file)) throw Error(file.string() + ": no such image file");
  cv::Mat image;
  try {
    image = cv::imread(file.string(), cv::IMREAD_COLOR | cv::IMREAD_IGNORE_ORIENTATION);
  } catch (const cv::Exception&) {
    image.release();  // too large, or broken in a way that OpenCV throws for
  }
  if (image.empty())
    throw Error(file.string() + ": not an image that can be read (broken, or an unknown format)");
  cv::cvtColor(image, image, cv::COLOR_BGR2RGB);
  return image;
}

}  // namespace smearscope::corpus
