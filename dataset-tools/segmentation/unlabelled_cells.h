// Cells that a picture shows and nobody labelled.
#pragma once

#include <opencv2/core.hpp>
#include <optional>
#include <vector>

#include "corpus/records.h"
#include "segmentation/foreground.h"

namespace smearscope::corpus {

// Boxes around what is cell in the picture (with `mask`, 255, of its foreground) and not `taken` (255):
// cells, or heaps of them; also white cells, platelets, and dirt of their size. `diameter`: of a red cell,
// pixels.
std::vector<Box> remaining_cells(const cv::Mat1b& mask, const cv::Mat1b& taken, double diameter);

// The same with what lies in the boxes `labelled` taken. Without a diameter a small one is assumed, so that
// rather too much is told than too little.
std::vector<Box> unlabelled_cells(const Foreground& foreground, const std::optional<double>& diameter,
                                  const std::vector<Box>& labelled);

}  // namespace smearscope::corpus
