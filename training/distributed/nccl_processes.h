// Processes that talk about what lies on their CUDA devices, by LibTorch's c10d with NCCL. Without NCCL
// (nccl_processes_missing.cpp) there are none.
#pragma once

#include <c10/core/Device.h>
#include <c10/util/intrusive_ptr.h>

#include <chrono>
#include <memory>

#include "distributed/layout.h"
#include "network/processes.h"

namespace c10d {
class Store;
}

namespace smearscope::training {

// Whether this was built with NCCL.
bool has_nccl();

// For contiguous tensors on `device` alone. Returns when all processes have joined through `store`. A call
// enqueues its work for the current stream and doesn't wait for the device. Throws Error where the devices
// can't reach each other, or two processes take the same. A process that ends later is noticed when a call
// has taken longer than `timeout`: NCCL's watchdog then ends this process with a message.
std::unique_ptr<Processes> join_on_devices(const c10::intrusive_ptr<c10d::Store>& store,
                                           const ProcessLayout& layout, c10::Device device,
                                           std::chrono::milliseconds timeout);

}  // namespace smearscope::training
