#include "network/cuda/check.h"

#include <string>

#include "smearscope/error.h"

namespace smearscope::network {
namespace {

[[noreturn]] void fail(const char* doing, const std::string& reason) {
  throw Error(std::string("the CUDA engine failed while ") + doing + ": " + reason);
}

}  // namespace

void check(cudaError_t status, const char* doing) {
  if (status == cudaSuccess) return;
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();  // an allocation that failed leaves the device usable
    fail(doing, "not enough memory on the GPU; use smaller frames, fewer at once, or precision f16");
  }
  fail(doing, std::string(cudaGetErrorString(status)) + " (" + cudaGetErrorName(status) + ")");
}

void check(cudnnStatus_t status, const char* doing) {
  if (status != CUDNN_STATUS_SUCCESS) fail(doing, std::string(cudnnGetErrorString(status)) + " (cuDNN)");
}

void check(cublasStatus_t status, const char* doing) {
  if (status != CUBLAS_STATUS_SUCCESS)
    fail(doing, std::string(cublasLtGetStatusName(status)) + " (cuBLASLt)");
}

}  // namespace smearscope::network
