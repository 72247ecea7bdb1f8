// Matrix products with bias and ReLU, by cuBLASLt: linear layers and 1x1 convolutions.
#pragma once

#include <cublasLt.h>

#include <cstdint>
#include <memory>

#include "ops/device.h"

namespace smearscope::network {

inline constexpr std::size_t workspace_bytes = std::size_t{64} << 20;  // that every operation may use

// y = x * weights^T + bias (+ y) (then ReLU). x is [rows][in], weights [out][in], bias [out], y [rows][out];
// in and out are padded channels. Sums in float32, without TF32.
struct GemmShape {
  int rows = 0, in = 0, out = 0;
  bool relu = false, accumulate = false;
  ops::Element element = ops::Element::f32;  // of x, weights and bias
  ops::Element output = ops::Element::f32;   // of y; bias is of this type
};

class Gemm {
 public:
  // The library's first choice of algorithm, which is the same in every run. Throws Error if there is none.
  Gemm(cublasLtHandle_t handle, const GemmShape& shape);

  // All in device memory; `workspace` has workspace_bytes. Throws Error if it can't be started.
  void run(const void* x, const void* weights, const void* bias, void* y, void* workspace,
           cudaStream_t stream) const;

 private:
  template <typename T>
  using Owner = std::unique_ptr<T, void (*)(T*)>;

  cublasLtHandle_t handle_;
  GemmShape shape_;
  Owner<cublasLtMatmulDescOpaque_t> operation_;
  Owner<cublasLtMatrixLayoutOpaque_t> weights_, x_, y_;
  cublasLtMatmulAlgo_t algorithm_{};
};

}  // namespace smearscope::network
