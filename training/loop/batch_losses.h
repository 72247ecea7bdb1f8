// Samples as the network takes them, and the losses that it returns as numbers.
#pragma once

#include <cstddef>

#include "loop/progress.h"
#include "loop/samples.h"
#include "network/faster_rcnn.h"

namespace smearscope::training {

// Of the batch's samples first .. end - 1.
Losses losses_of(FasterRcnn& network, const Batch& batch, std::size_t first, std::size_t end);

LossValues values_of(const Losses& losses);
void add(LossValues& sum, const LossValues& values, double weight);

}  // namespace smearscope::training
