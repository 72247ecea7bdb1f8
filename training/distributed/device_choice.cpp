#include "distributed/device_choice.h"

#include <torch/cuda.h>

#include <algorithm>

#include "distributed/nccl_processes.h"
#include "network/device.h"

namespace smearscope::training {

int cuda_index_of(const ProcessLayout& layout, int devices) {
  if (!layout.local_rank) {
    throw Error(
        "--device cuda: which of its machine's processes this one is, is not known; set LOCAL_RANK to a "
        "number "
        "from 0 for each, or name the device with --device cuda:N");
  }
  const int processes = std::max(layout.on_this_machine, *layout.local_rank + 1);
  if (processes > devices) {
    throw Error("--device cuda: " + std::to_string(processes) + " or more processes on a machine with " +
                std::to_string(devices) + (devices == 1 ? " CUDA device" : " CUDA devices") +
                "; each process takes one");
  }
  return *layout.local_rank;
}

c10::Device device_of(const ProcessLayout& layout, const std::string& name) {
  const c10::Device device = device_named(name);
  if (layout.count == 1 || device.is_cpu()) return device;
  if (!has_nccl()) {
    throw Error("--device " + name +
                ": several processes on CUDA need NCCL, without which this was built (training/README.md)");
  }
  if (name != "cuda") return device;
  const int index = cuda_index_of(layout, static_cast<int>(torch::cuda::device_count()));
  return {device.type(), static_cast<c10::DeviceIndex>(index)};
}

}  // namespace smearscope::training
