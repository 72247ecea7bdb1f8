#include "distributed/process_group.h"

namespace smearscope::training {

std::unique_ptr<Processes> join_processes(const ProcessLayout& layout, double) {
  throw Error(
      "started as one of " + std::to_string(layout.count) +
      " processes, but built without Gloo: install libgloo-dev, with Debian's LibTorch, and build again");
}

}  // namespace smearscope::training
