#include "network/cuda/gemm.h"

#include <initializer_list>

#include "network/cuda/check.h"

namespace smearscope::network {
namespace {

cudaDataType_t type_of(ops::Element element) {
  return element == ops::Element::f32 ? CUDA_R_32F : CUDA_R_16F;
}

void destroy(cublasLtMatmulDescOpaque_t* operation) {
  cublasLtMatmulDescDestroy(operation);
}
void destroy(cublasLtMatrixLayoutOpaque_t* layout) {
  cublasLtMatrixLayoutDestroy(layout);
}
void destroy(cublasLtMatmulPreferenceOpaque_t* preference) {
  cublasLtMatmulPreferenceDestroy(preference);
}

template <typename T>
using Owner = std::unique_ptr<T, void (*)(T*)>;

// cuBLASLt counts along columns: our rows of `columns` values are its columns.
Owner<cublasLtMatrixLayoutOpaque_t> layout_of(int columns, int rows, ops::Element element) {
  cublasLtMatrixLayout_t layout = nullptr;
  check(cublasLtMatrixLayoutCreate(&layout, type_of(element), static_cast<std::uint64_t>(columns),
                                   static_cast<std::uint64_t>(rows), columns),
        "describing a matrix");
  return {layout, destroy};
}

Owner<cublasLtMatmulDescOpaque_t> operation_of(const GemmShape& shape) {
  cublasLtMatmulDesc_t operation = nullptr;
  check(cublasLtMatmulDescCreate(&operation, CUBLAS_COMPUTE_32F, CUDA_R_32F), "describing a matrix product");
  Owner<cublasLtMatmulDescOpaque_t> owner(operation, destroy);
  const cublasOperation_t transposed = CUBLAS_OP_T;
  const cublasLtEpilogue_t epilogue = shape.relu ? CUBLASLT_EPILOGUE_RELU_BIAS : CUBLASLT_EPILOGUE_BIAS;
  const cudaDataType_t bias = type_of(shape.output);
  const auto set = [&](cublasLtMatmulDescAttributes_t attribute, const auto& value) {
    check(cublasLtMatmulDescSetAttribute(operation, attribute, &value, sizeof(value)),
          "describing a matrix product");
  };
  set(CUBLASLT_MATMUL_DESC_TRANSA, transposed);
  set(CUBLASLT_MATMUL_DESC_EPILOGUE, epilogue);
  set(CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, bias);
  return owner;
}

}  // namespace

Gemm::Gemm(cublasLtHandle_t handle, const GemmShape& shape)
    : handle_(handle),
      shape_(shape),
      operation_(operation_of(shape)),
      weights_(layout_of(shape.in, shape.out, shape.element)),
      x_(layout_of(shape.in, shape.rows, shape.element)),
      y_(layout_of(shape.out, shape.rows, shape.output)) {
  cublasLtMatmulPreference_t preference = nullptr;
  check(cublasLtMatmulPreferenceCreate(&preference), "choosing a matrix product");
  const Owner<cublasLtMatmulPreferenceOpaque_t> owner(preference, destroy);
  const auto prefer = [&](cublasLtMatmulPreferenceAttributes_t attribute, const auto& value) {
    check(cublasLtMatmulPreferenceSetAttribute(preference, attribute, &value, sizeof(value)),
          "choosing a matrix product");
  };
  prefer(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, workspace_bytes);
  constexpr std::uint32_t alignment = 64;  // of what lay_out places; the library assumes more
  for (const auto attribute :
       {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES})
    prefer(attribute, alignment);
  cublasLtMatmulHeuristicResult_t result{};
  int found = 0;
  check(cublasLtMatmulAlgoGetHeuristic(handle, operation_.get(), weights_.get(), x_.get(), y_.get(), y_.get(),
                                       preference, 1, &result, &found),
        "choosing a matrix product");
  if (found == 0) check(CUBLAS_STATUS_NOT_SUPPORTED, "choosing a matrix product");
  algorithm_ = result.algo;
}

void Gemm::run(const void* x, const void* weights, const void* bias, void* y, void* workspace,
               cudaStream_t stream) const {
  // The pointer is read during the call.
  check(cublasLtMatmulDescSetAttribute(operation_.get(), CUBLASLT_MATMUL_DESC_BIAS_POINTER, &bias,
                                       sizeof(bias)),
        "describing a matrix product");
  const float one = 1, kept = shape_.accumulate ? 1 : 0;
  check(cublasLtMatmul(handle_, operation_.get(), &one, weights, weights_.get(), x, x_.get(), &kept, y,
                       y_.get(), y, y_.get(), &algorithm_, workspace, workspace_bytes, stream),
        "starting a matrix product");
}

}  // namespace smearscope::network
