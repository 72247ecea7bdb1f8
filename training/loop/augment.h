// Random changes of one training image that leave what is in it the same.
#pragma once

#include "loop/random.h"
#include "loop/regimen.h"
#include "loop/sample.h"

namespace smearscope::training {

// Flips and colours. The sample's image is replaced by a new one; boxes and ignore regions move with it.
void augment(Sample& sample, const Augmentation& options, Random& random);

}  // namespace smearscope::training
