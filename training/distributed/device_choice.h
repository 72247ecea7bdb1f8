// The device of each of several processes.
#pragma once

#include <c10/core/Device.h>

#include <string>

#include "distributed/layout.h"

namespace smearscope::training {

// Which of `devices` CUDA devices is this process's where each process of a machine takes one: that of its
// local rank. Throws Error where the local rank isn't known, or the machine has more processes than devices.
int cuda_index_of(const ProcessLayout& layout, int devices);

// For --device `name`: one process alone takes what device_named (network/device.h) says. Of several, "cuda"
// gives each its own, cuda_index_of; "cuda:N" gives each the N-th that it sees, which is right where whatever
// started them shows each process other devices (srun --gpus-per-task 1 ... --device cuda:0); two that take
// the same GPU are refused by NCCL when they join. Throws Error as those do, and for several processes on
// CUDA in a build without NCCL.
c10::Device device_of(const ProcessLayout& layout, const std::string& name);

}  // namespace smearscope::training
