// Images of one size, or of one scale.
#pragma once

#include <optional>
#include <string>

#include "corpus/image_io.h"
#include "corpus/records.h"
#include "smearscope/error.h"

namespace smearscope::corpus {

// What images are brought to; nothing: they stay as they are. At most one of the two.
struct Scaling {
  std::optional<int> longest_side;      // pixels; larger images are made smaller, smaller ones stay
  std::optional<double> pixel_size_um;  // µm per pixel
};

// By how much, 1 for not at all. A picture that would become more than four times larger or ten times
// smaller or would have more pixels than a picture may (image_header.h), or whose scale differs by less than 2% (no estimate is as good as that), stays as it is.
// `pixel_size_um`: of the image, greater than 0 if the scaling needs it.
double scale_factor(const Scaling& scaling, int width, int height, double pixel_size_um);

// The image's pixels scaled by `factor` and encoded: JPEG (quality 95) from .jpg and .jpeg, else PNG, which
// is lossless, with the extension of `image.file` changed to .png. Scales size, boxes, ignore regions and
// pixel size of the record, and notes the change. Throws Error, naming the file, if it isn't an image.
std::string scaled_image(Image& image, ImageFile& file, double factor);

}  // namespace smearscope::corpus
