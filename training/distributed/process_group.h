// Processes that talk over the network, by LibTorch's c10d: with Gloo, and with NCCL where they run on CUDA
// devices.
#pragma once

#include <c10/core/Device.h>

#include <memory>

#include "distributed/layout.h"
#include "network/processes.h"

namespace smearscope::training {

// Waits until all processes of the layout are there. Throws Error if they don't come within `seconds`, if the
// address can't be reached, or if the program was built without Gloo. Tensors in host memory go through Gloo;
// with a CUDA `device`, tensors on it through NCCL (nccl_processes.h), without which it throws Error.
std::unique_ptr<Processes> join_processes(const ProcessLayout& layout, c10::Device device = c10::kCPU,
                                          double seconds = 300);

}  // namespace smearscope::training
