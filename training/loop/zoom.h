// Scale jitter across sources whose cells differ in size.
#pragma once

#include "loop/random.h"
#include "loop/sample.h"

namespace smearscope::training {

// Crops the sample so that its red cells (7.5 µm) get the side `wanted` (pixels) once the network has resized
// it to `min_side`, `max_side`. Samples of unknown scale, and those whose cells are that large already, stay
// as they are. Of cells cut by the crop those stay of which 60% are visible, with the visible part as box;
// the others become ignore regions.
void zoom_to(Sample& sample, double wanted, int min_side, int max_side, Random& random);

}  // namespace smearscope::training
