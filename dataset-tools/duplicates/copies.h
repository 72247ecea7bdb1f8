// Which images show the same picture, or the same part of a slide. Data sets share images: copied byte for
// byte, compressed again, resized, cropped, turned, mirrored, recoloured, or photographed twice.
#pragma once

#include <cstdint>
#include <opencv2/core/matx.hpp>
#include <vector>

#include "corpus/stored_corpus.h"
#include "smearscope/error.h"

namespace smearscope::corpus {

// In order of strength.
enum class Likeness {
  same_bytes,    // the files are the same
  same_picture,  // one shows what the other does, or a part of it that was cut out
  same_field     // two views of one field: shifted, or taken with another focus or camera
};

struct Pair {
  std::uint32_t first, second;  // indices of images; first < second
  Likeness likeness;
  double correlation;     // of what both show, at low resolution, -1..1; 1 for the same bytes
  cv::Matx23d to_second;  // pixels of the first (by its record's size) to pixels of the second: scales and
                          // offsets of the two axes, which may be mirrored or swapped
};

// Pairs in ascending order, each once. Image::path, width and height must be set. Two images that have the
// same bytes have the same pairs with others. A copy is found if it was scaled and compressed in any usual
// way, if up to 15% was cut off each side, or if about a third of it is in the other; not if it was turned by
// other than right angles. Time is mostly that of reading the files; memory is some 50 bytes an image, 80 a
// pair, and a fixed amount. README has figures. Reads files on `threads` threads (0: all processors); the
// result is the same for any number of them. Throws Error, naming the file, if one is not an image.
std::vector<Pair> find_copies(const StoredList<Image>& images, unsigned threads);

}  // namespace smearscope::corpus
