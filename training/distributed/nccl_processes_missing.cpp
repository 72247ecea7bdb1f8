#include "distributed/nccl_processes.h"

namespace smearscope::training {

bool has_nccl() {
  return false;
}

std::unique_ptr<Processes> join_on_devices(const c10::intrusive_ptr<c10d::Store>&, const ProcessLayout&,
                                           c10::Device, std::chrono::milliseconds) {
  throw Error("built without NCCL: several processes train on CPUs alone");
}

}  // namespace smearscope::training
