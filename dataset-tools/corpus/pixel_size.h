// The scale of a picture, from its red cells.
#pragma once

#include "corpus/image_io.h"
#include "corpus/records.h"
#include "corpus/taxonomy.h"
#include "smearscope/error.h"

namespace smearscope::corpus {

// Diameter of a red cell, from which the scale of a picture follows where nobody calibrated it.
constexpr double red_cell_um = 7.5;

// µm per pixel; 0 if the picture doesn't tell. From the median side of its labelled red cells (classes that
// are a kind of "rbc") that don't touch the border, if there are three or more, else by segmentation. The
// image must be classified. Throws Error, naming the file, if the pixels are needed and can't be read.
double estimated_pixel_size_um(const Image& image, const Taxonomy& taxonomy, ImageFile& file);

}  // namespace smearscope::corpus
