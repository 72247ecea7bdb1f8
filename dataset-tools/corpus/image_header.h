// What an image file says it holds, before anything is decoded: a few bytes can claim a picture that takes
// all memory.
#pragma once

#include <cstdint>
#include <string_view>

#include "smearscope/error.h"

namespace smearscope::corpus {

enum class ImageFormat { jpeg, png, bmp, tiff, webp };

struct ImageHeader {
  ImageFormat format = ImageFormat::jpeg;
  std::int64_t width = 0, height = 0;  // pixels, as stored
};

// Throws Error, without the file's name, if the bytes are of no known format or don't say a size. The name
// that the file has doesn't matter.
ImageHeader read_image_header(std::string_view bytes);

constexpr std::int64_t most_pixels = 100'000'000, longest_side = 65'535;

// Throws Error, without the file's name, if the picture would be larger.
void check_size(const ImageHeader& header);

}  // namespace smearscope::corpus
