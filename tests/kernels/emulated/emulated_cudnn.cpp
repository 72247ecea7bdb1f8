// cuDNN on the host: convolutions as plain loops.
#include <cudnn.h>

#include <algorithm>
#include <vector>

#include "emulated_device.h"

using smearscope::ops::emulated::enqueue;

struct cudnnContext {};
struct cudnnTensorStruct {
  cudnnTensorFormat_t format;
  cudnnDataType_t type;
  int n, c, h, w;
};
struct cudnnFilterStruct {
  cudnnDataType_t type;
  cudnnTensorFormat_t format;
  int k, c, h, w;
};
struct cudnnConvolutionStruct {
  int padding, stride;
  cudnnMathType_t math;
};
struct cudnnActivationStruct {
  cudnnActivationMode_t mode;
};

namespace {

std::size_t size_of(cudnnDataType_t type) {
  return type == CUDNN_DATA_FLOAT ? 4 : 2;
}

double load(const void* data, cudnnDataType_t type, std::size_t i) {
  if (type == CUDNN_DATA_FLOAT) return static_cast<const float*>(data)[i];
  return static_cast<double>(static_cast<const _Float16*>(data)[i]);
}

void store(void* data, cudnnDataType_t type, std::size_t i, double value) {
  if (type == CUDNN_DATA_FLOAT)
    static_cast<float*>(data)[i] = static_cast<float>(value);
  else
    static_cast<_Float16*>(data)[i] = static_cast<_Float16>(value);
}

struct Range {
  const void* data;
  std::size_t bytes;
};

Range range_of(const cudnnTensorStruct& tensor, const void* data) {
  return {data, std::size_t{1} * tensor.n * tensor.c * tensor.h * tensor.w * size_of(tensor.type)};
}

bool overlap(Range a, Range b) {
  const auto* first = static_cast<const char*>(a.data);
  const auto* second = static_cast<const char*>(b.data);
  return first < second + b.bytes && second < first + a.bytes;
}

// One convolution with everything that may follow it.
struct Job {
  cudnnTensorStruct x_shape, y_shape;
  cudnnFilterStruct w_shape;
  cudnnConvolutionStruct convolution;
  const void *x, *w, *bias;  // bias may be null
  void* y;
  float kept;  // share of what y holds
  bool relu;

  bool is_allowed(Range workspace) const {
    const bool nhwc = x_shape.format == CUDNN_TENSOR_NHWC && y_shape.format == CUDNN_TENSOR_NHWC &&
                      w_shape.format == CUDNN_TENSOR_NHWC;
    const bool channels = x_shape.c == w_shape.c && y_shape.c == w_shape.k;
    const auto size = [this](int length, int kernel) {
      return (length + 2 * convolution.padding - kernel) / convolution.stride + 1;
    };
    const bool sizes = y_shape.h == size(x_shape.h, w_shape.h) && y_shape.w == size(x_shape.w, w_shape.w);
    // Without a tensor core's vectors f16 would be slow; with TF32 f32 would be rough.
    const bool fast = x_shape.type == CUDNN_DATA_HALF ? x_shape.c % 8 == 0 && y_shape.c % 8 == 0 &&
                                                            convolution.math == CUDNN_TENSOR_OP_MATH
                                                      : convolution.math == CUDNN_FMA_MATH;
    const Range in = range_of(x_shape, x), out = range_of(y_shape, y);
    return nhwc && channels && sizes && fast && !overlap(in, out) && !overlap(in, workspace) &&
           !overlap(out, workspace);
  }

  void run() const {
    const std::size_t pixels = std::size_t{1} * y_shape.n * y_shape.h * y_shape.w;
    std::vector<float> weights(std::size_t{1} * w_shape.k * w_shape.h * w_shape.w * w_shape.c);
    for (std::size_t i = 0; i < weights.size(); ++i)
      weights[i] = static_cast<float>(load(w, w_shape.type, i));
    std::vector<float> patch(std::size_t{1} * w_shape.h * w_shape.w * w_shape.c);
    for (std::size_t pixel = 0; pixel < pixels; ++pixel) {
      gather(pixel, patch);
      for (int k = 0; k < w_shape.k; ++k) {
        const float* row = weights.data() + k * patch.size();
        float sum = 0;
#pragma omp simd reduction(+ : sum)
        for (std::size_t i = 0; i < patch.size(); ++i) sum += row[i] * patch[i];
        finish(pixel * y_shape.c + k, k, sum);
      }
    }
  }

  // What the kernel covers at an output pixel, as [h][w][c].
  void gather(std::size_t pixel, std::vector<float>& patch) const {
    const auto x_out = static_cast<int>(pixel % y_shape.w),
               y_out = static_cast<int>(pixel / y_shape.w % y_shape.h);
    const std::size_t image = pixel / y_shape.w / y_shape.h;
    float* out = patch.data();
    for (int i = 0; i < w_shape.h * w_shape.w; ++i) {
      const int row = y_out * convolution.stride - convolution.padding + i / w_shape.w;
      const int column = x_out * convolution.stride - convolution.padding + i % w_shape.w;
      const bool inside = row >= 0 && row < x_shape.h && column >= 0 && column < x_shape.w;
      const std::size_t first = ((image * x_shape.h + row) * x_shape.w + column) * x_shape.c;
      for (int c = 0; c < x_shape.c; ++c)
        *out++ = inside ? static_cast<float>(load(x, x_shape.type, first + c)) : 0.0F;
    }
  }

  void finish(std::size_t index, int channel, double sum) const {
    if (kept != 0) sum += kept * load(y, y_shape.type, index);
    if (bias) sum += load(bias, y_shape.type, channel);
    store(y, y_shape.type, index, relu ? std::max(sum, 0.0) : sum);
  }
};

cudnnStatus_t start(const Job& job, void* workspace, std::size_t workspace_bytes) {
  if (!job.is_allowed({workspace, workspace_bytes})) return CUDNN_STATUS_BAD_PARAM;
  enqueue([job] { job.run(); });
  return CUDNN_STATUS_SUCCESS;
}

template <typename T>
cudnnStatus_t make(T** made) {
  *made = new T{};
  return CUDNN_STATUS_SUCCESS;
}

template <typename T>
cudnnStatus_t destroy(T* made) {
  delete made;
  return CUDNN_STATUS_SUCCESS;
}

}  // namespace

const char* cudnnGetErrorString(cudnnStatus_t) {
  return "emulated failure";
}
std::size_t cudnnGetVersion() {
  return 90000;
}
cudnnStatus_t cudnnCreate(cudnnHandle_t* handle) {
  return make(handle);
}
cudnnStatus_t cudnnDestroy(cudnnHandle_t handle) {
  return destroy(handle);
}
cudnnStatus_t cudnnSetStream(cudnnHandle_t, cudaStream_t) {
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnCreateTensorDescriptor(cudnnTensorDescriptor_t* descriptor) {
  return make(descriptor);
}
cudnnStatus_t cudnnDestroyTensorDescriptor(cudnnTensorDescriptor_t descriptor) {
  return destroy(descriptor);
}
cudnnStatus_t cudnnSetTensor4dDescriptor(cudnnTensorDescriptor_t descriptor, cudnnTensorFormat_t format,
                                         cudnnDataType_t type, int n, int c, int h, int w) {
  *descriptor = {format, type, n, c, h, w};
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnCreateFilterDescriptor(cudnnFilterDescriptor_t* descriptor) {
  return make(descriptor);
}
cudnnStatus_t cudnnDestroyFilterDescriptor(cudnnFilterDescriptor_t descriptor) {
  return destroy(descriptor);
}
cudnnStatus_t cudnnSetFilter4dDescriptor(cudnnFilterDescriptor_t descriptor, cudnnDataType_t type,
                                         cudnnTensorFormat_t format, int k, int c, int h, int w) {
  *descriptor = {type, format, k, c, h, w};
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnCreateConvolutionDescriptor(cudnnConvolutionDescriptor_t* descriptor) {
  return make(descriptor);
}
cudnnStatus_t cudnnDestroyConvolutionDescriptor(cudnnConvolutionDescriptor_t descriptor) {
  return destroy(descriptor);
}
cudnnStatus_t cudnnSetConvolution2dDescriptor(cudnnConvolutionDescriptor_t descriptor, int pad_h, int pad_w,
                                              int stride_h, int stride_w, int dilation_h, int dilation_w,
                                              cudnnConvolutionMode_t mode, cudnnDataType_t compute) {
  if (pad_h != pad_w || stride_h != stride_w || dilation_h != 1 || dilation_w != 1 ||
      mode != CUDNN_CROSS_CORRELATION || compute != CUDNN_DATA_FLOAT)
    return CUDNN_STATUS_NOT_SUPPORTED;
  *descriptor = {pad_h, stride_h, CUDNN_DEFAULT_MATH};
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnSetConvolutionMathType(cudnnConvolutionDescriptor_t descriptor, cudnnMathType_t type) {
  descriptor->math = type;
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnCreateActivationDescriptor(cudnnActivationDescriptor_t* descriptor) {
  return make(descriptor);
}
cudnnStatus_t cudnnDestroyActivationDescriptor(cudnnActivationDescriptor_t descriptor) {
  return destroy(descriptor);
}
cudnnStatus_t cudnnSetActivationDescriptor(cudnnActivationDescriptor_t descriptor, cudnnActivationMode_t mode,
                                           cudnnNanPropagation_t, double) {
  descriptor->mode = mode;
  return CUDNN_STATUS_SUCCESS;
}

// The fastest two are not to be had: one does not repeat bit for bit, one needs too much memory.
cudnnStatus_t cudnnGetConvolutionForwardAlgorithm_v7(cudnnHandle_t, cudnnTensorDescriptor_t,
                                                     cudnnFilterDescriptor_t,
                                                     cudnnConvolutionDescriptor_t convolution,
                                                     cudnnTensorDescriptor_t, int, int* returned,
                                                     cudnnConvolutionFwdAlgoPerf_t* results) {
  const auto result = [&](cudnnConvolutionFwdAlgo_t algorithm, std::size_t memory,
                          cudnnDeterminism_t determinism) {
    return cudnnConvolutionFwdAlgoPerf_t{algorithm, CUDNN_STATUS_SUCCESS, 0,
                                         memory,    determinism,          convolution->math};
  };
  results[0] = result(CUDNN_CONVOLUTION_FWD_ALGO_FFT, 0, CUDNN_NON_DETERMINISTIC);
  results[1] = result(CUDNN_CONVOLUTION_FWD_ALGO_FFT, std::size_t{1} << 40, CUDNN_DETERMINISTIC);
  results[2] = result(CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM, 0, CUDNN_DETERMINISTIC);
  *returned = 3;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnConvolutionForward(cudnnHandle_t, const void*, cudnnTensorDescriptor_t x_descriptor,
                                      const void* x, cudnnFilterDescriptor_t w_descriptor, const void* w,
                                      cudnnConvolutionDescriptor_t convolution,
                                      cudnnConvolutionFwdAlgo_t algorithm, void* workspace,
                                      std::size_t workspace_bytes, const void* beta,
                                      cudnnTensorDescriptor_t y_descriptor, void* y) {
  if (algorithm != CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM) return CUDNN_STATUS_NOT_SUPPORTED;
  return start({*x_descriptor, *y_descriptor, *w_descriptor, *convolution, x, w, nullptr, y,
                *static_cast<const float*>(beta), false},
               workspace, workspace_bytes);
}

cudnnStatus_t cudnnConvolutionBiasActivationForward(
    cudnnHandle_t, const void*, cudnnTensorDescriptor_t x_descriptor, const void* x,
    cudnnFilterDescriptor_t w_descriptor, const void* w, cudnnConvolutionDescriptor_t convolution,
    cudnnConvolutionFwdAlgo_t algorithm, void* workspace, std::size_t workspace_bytes, const void* alpha2,
    cudnnTensorDescriptor_t, const void* z, cudnnTensorDescriptor_t, const void* bias,
    cudnnActivationDescriptor_t activation, cudnnTensorDescriptor_t y_descriptor, void* y) {
  if (algorithm != CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM || z != y)
    return CUDNN_STATUS_NOT_SUPPORTED;
  return start({*x_descriptor, *y_descriptor, *w_descriptor, *convolution, x, w, bias, y,
                *static_cast<const float*>(alpha2), activation->mode == CUDNN_ACTIVATION_RELU},
               workspace, workspace_bytes);
}
