// Where a network runs: on the CPU, or on a CUDA device.
#pragma once

#include <c10/core/Device.h>

#include <string>

#include "network/faster_rcnn.h"

namespace smearscope::training {

// name: "cpu", "cuda" (the first device) or "cuda:N". Throws smearscope::Error, in one line, on any other,
// and where the device can't be had: this build or its LibTorch is without CUDA, there is no CUDA device, or
// none of that number. A GPU that is asked for is never replaced by the CPU.
c10::Device device_named(const std::string& name);

// Moves parameters and buffers. On CUDA the convolutions' weights become channels last, as cuDNN's tensor
// core kernels want them. Call before anything keeps the network's tensors (an optimiser).
void move_to(FasterRcnn& network, c10::Device device);

}  // namespace smearscope::training
