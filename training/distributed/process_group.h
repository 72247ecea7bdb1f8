// Processes that talk over the network, by LibTorch's c10d with Gloo.
#pragma once

#include <memory>

#include "distributed/layout.h"
#include "network/processes.h"

namespace smearscope::training {

// Waits until all processes of the layout are there. Throws Error if they don't come within `seconds`, if the
// address can't be reached, or if the program was built without Gloo. Not for a layout of one process.
std::unique_ptr<Processes> join_processes(const ProcessLayout& layout, double seconds = 300);

}  // namespace smearscope::training
