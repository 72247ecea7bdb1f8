// Host memory -> the network's device, without waiting for a GPU.
#pragma once

#include <ATen/ATen.h>

#include <vector>

namespace smearscope::training {

// `host` with the dtype and on the device that `options` name. On its way to a GPU it is copied to pinned
// memory, which LibTorch keeps until the GPU has read it: `host` may be changed at once, and nothing waits.
inline at::Tensor upload(const at::Tensor& host, const at::TensorOptions& options) {
  const at::Tensor typed = host.to(c10::typeMetaToScalarType(options.dtype()));
  if (!options.device().is_cuda() || typed.is_cuda()) return typed.to(options.device());
  if (typed.numel() == 0) return at::empty(typed.sizes(), typed.options().device(options.device()));
  return typed.pin_memory().to(options.device(), typed.scalar_type(), /*non_blocking=*/true);
}

template <typename T>
at::Tensor upload(const std::vector<T>& values, const at::TensorOptions& options) {
  return upload(at::tensor(values, c10::CppTypeToScalarType<T>::value), options);
}

// With the dtype that the values have.
template <typename T>
at::Tensor upload(const std::vector<T>& values, c10::Device device) {
  return upload(values, at::TensorOptions(device).dtype(c10::CppTypeToScalarType<T>::value));
}

}  // namespace smearscope::training
