// cuBLASLt on the host: d = a^T b + bias + beta d, counted along columns.
#include <cublasLt.h>

#include <algorithm>
#include <cstring>

#include "emulated_device.h"

struct cublasLtContext {};
struct cublasLtMatmulDescOpaque_t {
  cublasOperation_t transposed_a = CUBLAS_OP_N;
  cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_BIAS;
  cudaDataType_t bias_type = CUDA_R_32F;
  const void* bias = nullptr;
};
struct cublasLtMatrixLayoutOpaque_t {
  cudaDataType_t type;
  std::size_t rows, columns, leading;
};
struct cublasLtMatmulPreferenceOpaque_t {};

namespace {

float load(const void* data, cudaDataType_t type, std::size_t i) {
  if (type == CUDA_R_32F) return static_cast<const float*>(data)[i];
  return static_cast<float>(static_cast<const _Float16*>(data)[i]);
}

void store(void* data, cudaDataType_t type, std::size_t i, float value) {
  if (type == CUDA_R_32F)
    static_cast<float*>(data)[i] = value;
  else
    static_cast<_Float16*>(data)[i] = static_cast<_Float16>(value);
}

// Whether two matrices in memory share a byte.
bool overlap(const void* a, const cublasLtMatrixLayoutOpaque_t& a_layout, const void* b,
             const cublasLtMatrixLayoutOpaque_t& b_layout) {
  const auto end = [](const void* data, const cublasLtMatrixLayoutOpaque_t& layout) {
    const std::size_t size = layout.type == CUDA_R_32F ? 4 : 2;
    return static_cast<const char*>(data) + layout.columns * layout.leading * size;
  };
  return static_cast<const char*>(a) < end(b, b_layout) && static_cast<const char*>(b) < end(a, a_layout);
}

template <typename T>
cublasStatus_t destroy(T* made) {
  delete made;
  return CUBLAS_STATUS_SUCCESS;
}

struct Job {
  cublasLtMatmulDescOpaque_t operation;
  cublasLtMatrixLayoutOpaque_t a_layout, b_layout, d_layout;
  const void *a, *b;
  void* d;
  float kept;

  void run() const {
    for (std::size_t column = 0; column < d_layout.columns; ++column)
      for (std::size_t row = 0; row < d_layout.rows; ++row) {
        float sum = 0;
        for (std::size_t i = 0; i < a_layout.rows; ++i)
          sum += load(a, a_layout.type, row * a_layout.leading + i) *
                 load(b, b_layout.type, column * b_layout.leading + i);
        const std::size_t place = column * d_layout.leading + row;
        if (kept != 0) sum += kept * load(d, d_layout.type, place);
        sum += load(operation.bias, operation.bias_type, row);
        store(d, d_layout.type, place,
              operation.epilogue == CUBLASLT_EPILOGUE_RELU_BIAS ? std::max(sum, 0.0F) : sum);
      }
  }
};

}  // namespace

const char* cublasLtGetStatusName(cublasStatus_t) {
  return "an emulated error";
}
std::size_t cublasLtGetVersion() {
  return 120000;
}
cublasStatus_t cublasLtCreate(cublasLtHandle_t* handle) {
  *handle = new cublasLtContext;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle) {
  return destroy(handle);
}
cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* layout, cudaDataType_t type,
                                          std::uint64_t rows, std::uint64_t columns, std::int64_t leading) {
  *layout = new cublasLtMatrixLayoutOpaque_t{type, rows, columns, static_cast<std::size_t>(leading)};
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t layout) {
  return destroy(layout);
}
cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* operation, cublasComputeType_t,
                                        cudaDataType_t) {
  *operation = new cublasLtMatmulDescOpaque_t;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t operation) {
  return destroy(operation);
}
cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t operation,
                                              cublasLtMatmulDescAttributes_t attribute, const void* value,
                                              std::size_t bytes) {
  const auto set = [&](auto& member) {
    if (bytes != sizeof(member)) return CUBLAS_STATUS_INVALID_VALUE;
    std::memcpy(&member, value, bytes);
    return CUBLAS_STATUS_SUCCESS;
  };
  switch (attribute) {
    case CUBLASLT_MATMUL_DESC_TRANSA:
      return set(operation->transposed_a);
    case CUBLASLT_MATMUL_DESC_EPILOGUE:
      return set(operation->epilogue);
    case CUBLASLT_MATMUL_DESC_BIAS_POINTER:
      return set(operation->bias);
    case CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE:
      return set(operation->bias_type);
  }
  return CUBLAS_STATUS_INVALID_VALUE;
}
cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* preference) {
  *preference = new cublasLtMatmulPreferenceOpaque_t;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t preference) {
  return destroy(preference);
}
cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t,
                                                    cublasLtMatmulPreferenceAttributes_t attribute,
                                                    const void*, std::size_t bytes) {
  const bool is_size = attribute == CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES;
  return bytes == (is_size ? sizeof(std::size_t) : sizeof(std::uint32_t)) ? CUBLAS_STATUS_SUCCESS
                                                                          : CUBLAS_STATUS_INVALID_VALUE;
}
cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t, cublasLtMatmulDesc_t operation,
                                              cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                                              cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
                                              cublasLtMatmulPreference_t, int,
                                              cublasLtMatmulHeuristicResult_t* results, int* returned) {
  const bool fits = operation->transposed_a == CUBLAS_OP_T && a->rows == b->rows && d->rows == a->columns &&
                    d->columns == b->columns && c == d && a->type == b->type;
  results[0] = {};
  *returned = fits ? 1 : 0;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmul(cublasLtHandle_t, cublasLtMatmulDesc_t operation, const void*, const void* a,
                              cublasLtMatrixLayout_t a_layout, const void* b, cublasLtMatrixLayout_t b_layout,
                              const void* beta, const void* c, cublasLtMatrixLayout_t, void* d,
                              cublasLtMatrixLayout_t d_layout, const cublasLtMatmulAlgo_t*, void*,
                              std::size_t, cudaStream_t) {
  if (c != d || overlap(b, *b_layout, d, *d_layout) || !operation->bias) return CUBLAS_STATUS_INVALID_VALUE;
  const Job job{*operation, *a_layout, *b_layout, *d_layout, a, b, d, *static_cast<const float*>(beta)};
  smearscope::ops::emulated::enqueue([job] { job.run(); });
  return CUBLAS_STATUS_SUCCESS;
}
