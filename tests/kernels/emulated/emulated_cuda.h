// Runs CUDA kernels on the CPU, for tests: the part of CUDA C++ that engine/ops/kernel.h allows. Blocks run
// one after another; the threads of a block are fibres, each of which runs until it reaches a barrier or its
// end.
//
// What a GPU would do in any order happens here in the order that `thread_order` says, so that a result that
// differs between orders shows a race. Shared memory is poisoned before each block. A barrier that some
// threads reach while others have ended throws std::logic_error, as does an exception in a kernel.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>

#include "emulated_device.h"

#define __global__
#define __device__
#define __shared__ static __attribute__((section("emulated_shared")))

namespace smearscope::ops {

struct dim3 {
  unsigned x = 1, y = 1, z = 1;
  dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};

namespace emulated {

enum class ThreadOrder { rising, falling, shuffled };
extern ThreadOrder thread_order;

extern dim3 thread_index, block_index, block_size, grid_size;

void run(dim3 grid, unsigned threads, const std::function<void()>& kernel);
void barrier();

}  // namespace emulated

using Half = _Float16;

template <typename... Parameters, typename... Arguments>
void launch(void (*kernel)(Parameters...), dim3 grid, unsigned threads, DeviceStream,
            Arguments... arguments) {
  emulated::enqueue([=] { emulated::run(grid, threads, [=] { kernel(arguments...); }); });
}

inline void zero(void* memory, std::size_t bytes, DeviceStream) {
  emulated::enqueue([=] { std::memset(memory, 0, bytes); });
}

inline int count_bits(unsigned long long bits) {
  return __builtin_popcountll(bits);
}

template <typename Number>
Number atomicAdd(Number* target, Number value) {
  const Number old = *target;
  *target += value;
  return old;
}

template <typename Number>
Number atomicOr(Number* target, Number value) {
  const Number old = *target;
  *target |= value;
  return old;
}

inline void __syncthreads() {
  emulated::barrier();
}

}  // namespace smearscope::ops

#define threadIdx ::smearscope::ops::emulated::thread_index
#define blockIdx ::smearscope::ops::emulated::block_index
#define blockDim ::smearscope::ops::emulated::block_size
#define gridDim ::smearscope::ops::emulated::grid_size
