// What is kept of each picture to find its copies by: the file's digest, and where its landmarks are.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "corpus/image_io.h"

namespace smearscope::corpus {

// Landmarks are the dark and the light blobs of a picture: nuclei and their lobes, red cells, their pale
// middles, gaps between cells. They stay where they are when a picture is compressed, resized or recoloured,
// and most are found again when its borders are cut off: of the 48, measured on 320 images of all four data
// sets, 0.96 after resizing and JPEG of quality 30 to 95, 0.94 after recolouring, 0.79 of those still in the
// picture after crops of up to 12% a side, 0.77 after all of it.
struct Fingerprint {
  static constexpr std::size_t most_landmarks = 48;

  std::array<std::uint8_t, 32> sha256{};             // of the file
  std::uint64_t dark = 0;                            // bit i: landmark i is darker than what is around it
  std::array<std::uint8_t, most_landmarks> x{}, y{};  // in 1/256 of width and height; strongest first
  std::uint8_t landmarks = 0;                        // how many there are; 0 in a blank picture

  bool is_dark(std::size_t landmark) const { return (dark >> landmark & 1) != 0; }
};

// Reads and decodes the file. Throws Error if it is not an image. Thread-safe for different files.
Fingerprint fingerprint_of(ImageFile& file);

// The landmarks of an 8-bit RGB picture of any size; sha256 is left empty.
Fingerprint landmarks_of(const cv::Mat& rgb);

}  // namespace smearscope::corpus
