// Marks small inline functions that the CPU and the CUDA files share, so that both compute the same numbers.
// In them: no std:: algorithms (not device code), and minima and maxima by comparison, whose result for a NaN
// is that of std::min and std::max.
#pragma once

#if defined(__CUDACC__)
#define SMEARSCOPE_HOST_DEVICE __host__ __device__
#else
#define SMEARSCOPE_HOST_DEVICE
#endif

namespace smearscope::ops {

// std::min and std::max.
template <typename Number>
SMEARSCOPE_HOST_DEVICE inline Number smaller(Number a, Number b) {
  return b < a ? b : a;
}

template <typename Number>
SMEARSCOPE_HOST_DEVICE inline Number larger(Number a, Number b) {
  return a < b ? b : a;
}

}  // namespace smearscope::ops
