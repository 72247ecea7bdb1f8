// Several processes that train one network together, each with its share of every batch.
#pragma once

#include <ATen/core/Tensor.h>

namespace smearscope::training {

// Every process makes the same calls, in the same order, with tensors of the same shape; a call returns when
// all have made theirs. Throws smearscope::Error if another process has ended or can't be reached. Not
// thread-safe.
class Processes {
 public:
  virtual ~Processes() = default;
  virtual int rank() const = 0;  // 0 .. count() - 1
  virtual int count() const = 0;
  // Of all processes' values, into `values` (contiguous), the same bits everywhere. They are in host memory,
  // or, where the processes run on CUDA devices, on this process's; then the host doesn't wait for the
  // device.
  virtual void sum(at::Tensor& values) = 0;
  virtual void take_largest(at::Tensor& values) = 0;
};

// The sum over all processes, with a gradient. processes: null is one process alone.
at::Tensor sum_over(Processes* processes, const at::Tensor& values);

}  // namespace smearscope::training
