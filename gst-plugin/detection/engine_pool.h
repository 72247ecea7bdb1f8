// One engine for all the elements of a process that ask for the same one.
#pragma once

#include <memory>

#include "smearscope/detector.h"

namespace smearscope {

// The detector that runs the same model (by its file's digest, wherever it lies) on the same device, in the
// same precision (as asked for: `automatic` and what it comes to are two) and with the same number of
// threads, if someone in this process holds one; else a new one. It goes when its last holder lets go. Throws
// Error as Detector's constructor does. Any thread.
//
// Streams that share a detector take turns in Detector::detect, or go into one batch
// (DetectorOptions::max_batch).
std::shared_ptr<Detector> shared_detector(std::shared_ptr<const Model> model, const DetectorOptions& options);

}  // namespace smearscope
