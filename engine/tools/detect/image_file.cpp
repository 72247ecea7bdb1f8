#include "tools/detect/image_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "smearscope/error.h"

namespace smearscope::detect {
namespace {

// Codecs print their complaints on the standard error; here they become part of one line.
class CapturedStderr {
 public:
  CapturedStderr() : capture_(::memfd_create("stderr", MFD_CLOEXEC)), original_(::dup(STDERR_FILENO)) {
    if (capture_ >= 0 && original_ >= 0) ::dup2(capture_, STDERR_FILENO);
  }
  ~CapturedStderr() {
    if (original_ >= 0) ::dup2(original_, STDERR_FILENO);
    if (original_ >= 0) ::close(original_);
    if (capture_ >= 0) ::close(capture_);
  }
  CapturedStderr(const CapturedStderr&) = delete;
  CapturedStderr& operator=(const CapturedStderr&) = delete;

  // The first line so far, up to 200 bytes.
  std::string first_line() const {
    char text[200];
    const ssize_t got = capture_ >= 0 ? ::pread(capture_, text, sizeof text, 0) : 0;
    const std::string all(text, static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    return all.substr(0, all.find('\n'));
  }

 private:
  int capture_, original_;
};

struct Descriptor {
  int value;
  ~Descriptor() {
    if (value >= 0) ::close(value);
  }
};

std::vector<unsigned char> read_bytes(const std::string& path) {
  // Non-blocking: opening a pipe must not wait for a writer.
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  struct stat status {};
  if (file.value < 0 || ::fstat(file.value, &status) != 0) throw Error(std::strerror(errno));
  if (!S_ISREG(status.st_mode)) throw Error("not a regular file");
  std::vector<unsigned char> bytes(static_cast<std::size_t>(status.st_size));
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got = ::read(file.value, bytes.data() + done, bytes.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw Error(std::strerror(errno));
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  bytes.resize(done);
  if (bytes.empty()) throw Error("the file is empty");
  return bytes;
}

bool is_jpeg(const std::vector<unsigned char>& bytes) {
  return bytes.size() >= 3 && bytes[0] == 0xFF && bytes[1] == 0xD8 && bytes[2] == 0xFF;
}

// Whether a JPEG has its end-of-image marker (ITU-T T.81, B.1.1). A decoder fills what is cut off with grey
// and says nothing.
bool jpeg_is_complete(const std::vector<unsigned char>& bytes) {
  constexpr unsigned end_of_image = 0xD9, start_of_scan = 0xDA;
  const auto standalone = [](unsigned code) {
    return code <= 0x01 || (code >= 0xD0 && code <= 0xD7) || code == 0xFF;
  };
  std::size_t i = 2;
  while (i + 1 < bytes.size()) {
    const unsigned code = bytes[i + 1];
    if (bytes[i] != 0xFF || standalone(code)) {  // between markers: filling, restarts, scan data
      ++i;
      continue;
    }
    if (code == end_of_image) return true;
    if (i + 3 >= bytes.size()) return false;
    // Scan data follows its header; a byte 0xFF in it is followed by 0, so that no marker is seen there.
    const std::size_t length = static_cast<std::size_t>(bytes[i + 2]) << 8U | bytes[i + 3];
    i += 2 + (code == start_of_scan ? length : std::max<std::size_t>(length, 2));
  }
  return false;
}

cv::Mat decode(const std::vector<unsigned char>& bytes) {
  if (is_jpeg(bytes) && !jpeg_is_complete(bytes)) throw Error("the JPEG file is cut off");
  const CapturedStderr captured;
  cv::Mat pixels;
  try {
    pixels = cv::imdecode(bytes, cv::IMREAD_UNCHANGED);
  } catch (const cv::Exception& error) {
    throw Error("the image can't be decoded (" + error.err + ")");
  }
  if (!pixels.empty()) return pixels;
  const std::string reason = captured.first_line();
  throw Error("not an image that can be decoded, or damaged" + (reason.empty() ? "" : " (" + reason + ")"));
}

cv::Mat to_8_bits(const cv::Mat& pixels, std::string& warning) {
  if (pixels.depth() == CV_8U) return pixels;
  if (pixels.depth() != CV_16U) throw Error("its samples are neither 8 nor 16 bit integers");
  double largest = 0;
  cv::minMaxLoc(pixels.reshape(1), nullptr, &largest);
  if (largest < 4096) {
    warning = "16-bit image whose largest sample is " + std::to_string(static_cast<int>(largest)) +
              ": it will look black; scale it to the full range 0..65535 first";
  }
  cv::Mat scaled;
  pixels.convertTo(scaled, CV_8U, 1.0 / 257);
  return scaled;
}

}  // namespace

Frame Image::frame() const {
  Frame frame;
  frame.format = pixels.channels() == 1 ? PixelFormat::gray8 : PixelFormat::bgr;
  frame.width = pixels.cols;
  frame.height = pixels.rows;
  frame.planes[0] = {pixels.data, static_cast<std::ptrdiff_t>(pixels.step[0])};
  return frame;
}

Image read_image(const std::string& path) {
  try {
    Image image;
    image.pixels = to_8_bits(decode(read_bytes(path)), image.warning);
    if (image.pixels.channels() == 4) cv::cvtColor(image.pixels, image.pixels, cv::COLOR_BGRA2BGR);
    if (image.pixels.channels() != 1 && image.pixels.channels() != 3) {
      throw Error("it has " + std::to_string(image.pixels.channels()) + " channels, not 1, 3 or 4");
    }
    return image;
  } catch (const Error& error) {
    throw Error(path + ": " + error.what());
  } catch (const std::bad_alloc&) {
    throw Error(path + ": not enough memory for the image");
  } catch (const cv::Exception& error) {
    throw Error(path + ": " + error.err);
  }
}

bool is_image_name(const std::string& name) {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string::npos || dot == 0 || name[0] == '.') return false;
  std::string extension = name.substr(dot + 1);
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto known = {"jpg",  "jpeg", "jpe", "png", "bmp", "tif", "tiff",
                      "webp", "jp2",  "pgm", "ppm", "pnm", "pbm"};
  return std::any_of(known.begin(), known.end(), [&](const char* one) { return extension == one; });
}

}  // namespace smearscope::detect
