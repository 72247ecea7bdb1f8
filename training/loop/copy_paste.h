// Cells of rare classes, pasted into other images.
#pragma once

#include <vector>

#include "loop/random.h"
#include "loop/sample.h"

namespace smearscope::training {

// A cell cut out with some background around it.
struct Cutout {
  cv::Mat image;                  // 8-bit RGB
  corpus::Annotation annotation;  // its box in `image`
  cv::Scalar background;          // colour of the empty glass in the image that it is from, RGB
  double pixel_size_um = 0;
};

// `annotation` is one of the sample's.
Cutout cut_out(const Sample& sample, const corpus::Annotation& annotation);

// Pastes the cell into the sample at a random place where it covers no more than a tenth of any cell and
// ignore region, in a random one of eight orientations, scaled to the sample's pixel size where both are
// known (by half to twice, else it is not pasted), with its colours brought to the sample's background, and
// its border blended. Returns false, with nothing changed, if no place was found.
bool paste(Sample& sample, const Cutout& cutout, Random& random);

}  // namespace smearscope::training
