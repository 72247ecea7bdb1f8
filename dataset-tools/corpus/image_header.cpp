#include "corpus/image_header.h"

#include <cstdlib>
#include <string>

namespace smearscope::corpus {
namespace {

// Numbers in the file's bytes; beyond the end there is nothing to be read.
class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : bytes_(bytes) {}

  bool has(std::size_t at, std::string_view what) const {
    return at <= bytes_.size() && bytes_.substr(at, what.size()) == what;
  }
  std::int64_t big(std::size_t at, int count) const {
    std::int64_t value = 0;
    for (int i = 0; i < count; ++i) value = value << 8 | byte(at + static_cast<std::size_t>(i));
    return value;
  }
  std::int64_t little(std::size_t at, int count) const {
    std::int64_t value = 0;
    for (int i = count; i-- > 0;) value = value << 8 | byte(at + static_cast<std::size_t>(i));
    return value;
  }

 private:
  unsigned char byte(std::size_t at) const {
    if (at >= bytes_.size()) throw Error("not an image that can be read (it ends within its header)");
    return static_cast<unsigned char>(bytes_[at]);
  }
  std::string_view bytes_;
};

// The frame header (ITU-T T.81, B.2.2) lies behind tables and metadata.
ImageHeader read_jpeg(const Bytes& bytes) {
  for (std::size_t at = 2;;) {
    if (bytes.big(at, 1) != 0xFF) throw Error("not an image that can be read (a broken JPEG header)");
    const std::int64_t marker = bytes.big(at + 1, 1);
    if (marker == 0xFF) {  // filling
      ++at;
      continue;
    }
    const bool is_frame =
        marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
    if (is_frame) return {ImageFormat::jpeg, bytes.big(at + 7, 2), bytes.big(at + 5, 2)};
    const bool stands_alone = marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8);
    const bool is_end = marker == 0xD9 || marker == 0xDA || marker == 0;
    const std::int64_t length = stands_alone ? 0 : bytes.big(at + 2, 2);
    if (is_end || (!stands_alone && length < 2))
      throw Error("not an image that can be read (a JPEG file without a frame)");
    at += 2 + static_cast<std::size_t>(length);
  }
}

ImageHeader read_bmp(const Bytes& bytes) {
  const bool is_old = bytes.little(14, 4) == 12;
  if (is_old) return {ImageFormat::bmp, bytes.little(18, 2), bytes.little(20, 2)};
  // Rows from the top are a negative height.
  const auto side = [&](std::size_t at) {
    return std::int64_t(std::abs(std::int64_t(static_cast<std::int32_t>(bytes.little(at, 4)))));
  };
  return {ImageFormat::bmp, side(18), side(22)};
}

// The first image file directory (TIFF 6.0, section 2).
ImageHeader read_tiff(const Bytes& bytes, bool is_little) {
  const auto number = [&](std::size_t at, int count) {
    return is_little ? bytes.little(at, count) : bytes.big(at, count);
  };
  ImageHeader header{ImageFormat::tiff, 0, 0};
  const auto directory = static_cast<std::size_t>(number(4, 4));
  const auto entries = static_cast<std::size_t>(number(directory, 2));
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + 12 * i;
    const std::int64_t tag = number(entry, 2), type = number(entry + 2, 2);
    if (tag != 256 && tag != 257) continue;
    const std::int64_t value = number(entry + 8, type == 3 ? 2 : 4);
    (tag == 256 ? header.width : header.height) = value;
  }
  return header;
}

// developers.google.com/speed/webp/docs/riff_container
ImageHeader read_webp(const Bytes& bytes) {
  if (bytes.has(12, "VP8X")) return {ImageFormat::webp, bytes.little(24, 3) + 1, bytes.little(27, 3) + 1};
  if (bytes.has(12, "VP8L")) {
    const std::int64_t sides = bytes.little(21, 4);
    return {ImageFormat::webp, (sides & 0x3FFF) + 1, (sides >> 14 & 0x3FFF) + 1};
  }
  return {ImageFormat::webp, bytes.little(26, 2) & 0x3FFF, bytes.little(28, 2) & 0x3FFF};
}

ImageHeader read_header(const Bytes& bytes) {
  using namespace std::string_view_literals;
  if (bytes.has(0, "\xFF\xD8\xFF"sv)) return read_jpeg(bytes);
  if (bytes.has(0, "\x89PNG\r\n\x1A\n"sv) && bytes.has(12, "IHDR"sv))
    return {ImageFormat::png, bytes.big(16, 4), bytes.big(20, 4)};
  if (bytes.has(0, "BM"sv)) return read_bmp(bytes);
  if (bytes.has(0, "II*\0"sv)) return read_tiff(bytes, true);
  if (bytes.has(0, "MM\0*"sv)) return read_tiff(bytes, false);
  if (bytes.has(0, "RIFF"sv) && bytes.has(8, "WEBPVP8"sv)) return read_webp(bytes);
  throw Error("not an image that can be read (neither JPEG, PNG, BMP, TIFF nor WebP)");
}

}  // namespace

ImageHeader read_image_header(std::string_view bytes) {
  const ImageHeader header = read_header(Bytes(bytes));
  if (header.width < 1 || header.height < 1)
    throw Error("not an image that can be read (its header says no size)");
  return header;
}

void check_size(const ImageHeader& header) {
  if (header.width > longest_side || header.height > longest_side ||
      header.width * header.height > most_pixels) {
    throw Error("its header says " + std::to_string(header.width) + "x" + std::to_string(header.height) +
                " pixels; images may have 100 million, and 65,535 a side: cut larger ones into tiles");
  }
}

}  // namespace smearscope::corpus
