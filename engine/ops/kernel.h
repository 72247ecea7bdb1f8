// The few parts of CUDA C++ that the kernels in ops/*_cuda.cu use, so that their source compiles twice: by
// nvcc for a GPU, and by any C++ compiler for the emulator in tests/kernels/emulated, which runs them on a
// CPU thread by thread.
//
// Rules that make this possible: blocks are one-dimensional; shared memory is declared in the kernels
// themselves, with a fixed size and never in templates; threads of a block work together by __syncthreads and
// atomics alone; kernels are started by `launch`. Sums of floats never go through atomics, so that results
// don't depend on the order of threads.
#pragma once

#include "ops/device.h"

#if defined(SMEARSCOPE_EMULATED_KERNELS)
#include "emulated_cuda.h"
#else

#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <string>

#include "smearscope/error.h"

namespace smearscope::ops {

using Half = __half;

inline void check_launch(cudaError_t status, const char* what) {
  if (status != cudaSuccess)
    throw Error(std::string("the CUDA engine failed: ") + what + ": " + cudaGetErrorString(status));
}

template <typename T>
struct Exactly {
  using Type = T;
};

// Starts `kernel` on grid.x * grid.y * grid.z blocks of `threads`. Throws Error if it can't be started.
template <typename... Parameters>
void launch(void (*kernel)(Parameters...), dim3 grid, unsigned threads, DeviceStream stream,
            typename Exactly<Parameters>::Type... arguments) {
  void* pointers[] = {&arguments...};
  check_launch(
      cudaLaunchKernel(reinterpret_cast<const void*>(kernel), grid, dim3(threads), pointers, 0, stream),
      "a kernel does not start");
}

inline void zero(void* memory, std::size_t bytes, DeviceStream stream) {
  check_launch(cudaMemsetAsync(memory, 0, bytes, stream), "memory can't be cleared");
}

__device__ inline int count_bits(unsigned long long bits) {
  return __popcll(bits);
}

}  // namespace smearscope::ops

#endif

namespace smearscope::ops {

// 16 bytes, loaded and stored as one.
template <typename T>
struct alignas(16) Vector {
  static constexpr int size = 16 / sizeof(T);
  T values[size];
};

// Number of blocks of `threads` for `items`, at most `most`: the rest goes to loops in the kernel.
inline unsigned blocks_for(std::size_t items, unsigned threads, unsigned most) {
  const std::size_t blocks = (items + threads - 1) / threads;
  return blocks < 1 ? 1 : blocks < most ? static_cast<unsigned>(blocks) : most;
}

}  // namespace smearscope::ops
