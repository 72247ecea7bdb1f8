// The emulator itself: it must notice what it is there to notice.
#include <gtest/gtest.h>

#include <set>
#include <stdexcept>

#include "ops/kernel.h"

namespace smearscope::ops {
namespace {

__global__ void barrier_in_branch_kernel() {
  if (threadIdx.x % 2 == 0) __syncthreads();
}

__global__ void racy_kernel(unsigned* last) {
  *last = threadIdx.x;
}

__global__ void shared_memory_kernel(unsigned* seen) {
  __shared__ unsigned value;
  if (threadIdx.x == 0) seen[blockIdx.x] = value;
  __syncthreads();
  value = 5;
}

__global__ void sum_kernel(unsigned* sums) {
  __shared__ unsigned partial[64];
  partial[threadIdx.x] = blockIdx.x * blockDim.x + threadIdx.x;
  for (unsigned step = blockDim.x / 2; step > 0; step /= 2) {
    __syncthreads();
    if (threadIdx.x < step) partial[threadIdx.x] += partial[threadIdx.x + step];
  }
  if (threadIdx.x == 0) sums[blockIdx.x] = partial[0];
}

TEST(Emulator, RunsAllThreadsWithBarriers) {
  unsigned sums[3] = {};
  launch(sum_kernel, dim3(3), 64, nullptr, sums);
  for (unsigned block = 0; block < 3; ++block) EXPECT_EQ(sums[block], 64 * 63 / 2 + 64 * 64 * block);
}

TEST(Emulator, NoticesABarrierThatNotAllThreadsReach) {
  EXPECT_THROW(launch(barrier_in_branch_kernel, dim3(1), 4, nullptr), std::logic_error);
}

TEST(Emulator, ARaceGivesAnotherResultInAnotherOrder) {
  std::set<unsigned> results;
  for (const auto order : {emulated::ThreadOrder::rising, emulated::ThreadOrder::falling}) {
    emulated::thread_order = order;
    unsigned last = 0;
    launch(racy_kernel, dim3(1), 32, nullptr, &last);
    results.insert(last);
  }
  emulated::thread_order = emulated::ThreadOrder::rising;
  EXPECT_EQ(results.size(), 2U);
}

TEST(Emulator, SharedMemoryOfABlockHoldsNothingOfTheOneBefore) {
  unsigned seen[2] = {};
  launch(shared_memory_kernel, dim3(2), 8, nullptr, seen);
  EXPECT_EQ(seen[0], 0xCDCDCDCDU);
  EXPECT_EQ(seen[1], 0xCDCDCDCDU);
}

TEST(Emulator, RefusesBlocksThatNoGpuTakes) {
  unsigned sums[1];
  EXPECT_THROW(launch(sum_kernel, dim3(1), 1025, nullptr, sums), std::logic_error);
}

}  // namespace
}  // namespace smearscope::ops
