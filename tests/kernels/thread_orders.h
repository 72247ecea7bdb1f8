// Runs a kernel in all the orders of threads that there are to choose from, to show that none matters.
#pragma once

#include "device_array.h"

#if defined(SMEARSCOPE_EMULATED_KERNELS)
#include "emulated_cuda.h"
#endif

namespace smearscope::testing {

// Calls `work` once per order; on a GPU three times, in whatever order the GPU has.
template <typename Work>
void in_all_thread_orders(Work work) {
#if defined(SMEARSCOPE_EMULATED_KERNELS)
  using ops::emulated::ThreadOrder;
  for (const ThreadOrder order : {ThreadOrder::falling, ThreadOrder::shuffled, ThreadOrder::rising}) {
    ops::emulated::thread_order = order;
    work();
  }
#else
  for (int i = 0; i < 3; ++i) work();
#endif
}

}  // namespace smearscope::testing
