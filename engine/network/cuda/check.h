// Failures of CUDA and its libraries as Errors.
#pragma once

#include <cublasLt.h>
#include <cuda_runtime.h>
#include <cudnn.h>

namespace smearscope::network {

// `doing` completes "the CUDA engine failed while ...". All throw Error unless `status` is success.
void check(cudaError_t status, const char* doing);
void check(cudnnStatus_t status, const char* doing);
void check(cublasStatus_t status, const char* doing);

}  // namespace smearscope::network
