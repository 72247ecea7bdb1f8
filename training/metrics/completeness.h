// What nobody may have labelled.
#pragma once

#include "metrics/boxes.h"

namespace smearscope::metrics {

// Share of the box's area that lies inside the regions, which may overlap each other; 0..1.
double share_inside(const Box& box, const std::vector<Box>& regions);

// May there be cells of the category without a box, anywhere in the image?
bool is_open(const Image& image, int category);

// May there be a cell without a box where this one is: is its category open in the image, or more than half
// of its area inside ignore regions?
bool may_be_unlabelled(const Image& image, const FoundBox& found);

}  // namespace smearscope::metrics
