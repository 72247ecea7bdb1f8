// One convolution of a plan for one batch and input size, by cuDNN or, if 1x1, as a matrix product.
#pragma once

#include <cudnn.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "network/cuda/choices.h"
#include "network/cuda/gemm.h"
#include "network/cuda/memory.h"
#include "network/plan.h"
#include "ops/device.h"

namespace smearscope::network {

// What operations need of a device: handles, and the stream on which they run. One per backend; not
// thread-safe.
class CudaLibraries {
 public:
  // For the current device.
  CudaLibraries();
  ~CudaLibraries();
  CudaLibraries(const CudaLibraries&) = delete;
  CudaLibraries& operator=(const CudaLibraries&) = delete;

  cudnnHandle_t cudnn() const { return cudnn_; }
  cublasLtHandle_t cublas() const { return cublas_; }
  const Stream& stream() const { return stream_; }
  const std::string& name() const { return name_; }  // GPU and versions, for keys of Choices

 private:
  Stream stream_;
  cudnnHandle_t cudnn_ = nullptr;
  cublasLtHandle_t cublas_ = nullptr;
  std::string name_;
};

// Weights and bias of a Convolution or Linear on the device: [out][kernel][kernel][in], channels padded with
// zeros.
struct DeviceWeights {
  DeviceWeights(const Convolution& convolution, ops::Element element);

  // `in_group` channels of the input belong together and are padded as one: all of them, or those of one RoI
  // position.
  DeviceWeights(const Linear& linear, int in_group, ops::Element element, ops::Element output);

  int in = 0, out = 0;  // padded
  DeviceMemory weights, bias;
};

struct ConvolutionShape {
  int images = 1, in = 0, out = 0, kernel = 1, stride = 1;  // channels padded
  bool relu = false, accumulate = false;
  ops::Size input, output;
  ops::Element element = ops::Element::f32;
};

// Buffers of one run, in device memory.
struct ConvolutionBuffers {
  const void* x = nullptr;  // [images][height][width][in]
  const DeviceWeights* weights = nullptr;
  void* y = nullptr;          // [images][height][width][out]; with `accumulate` also what is added
  void* workspace = nullptr;  // workspace_bytes
};

// y = convolve(x) + bias (+ y) (then ReLU), sums in float32 without TF32, the same bits each time.
class CudaConvolution {
 public:
  // Takes the choice that is kept for this shape, or measures all ways that work, with these buffers, whose
  // contents are lost, and keeps the fastest. Waits for the device. Throws Error naming `name` if no way
  // works.
  CudaConvolution(const ConvolutionShape& shape, const ConvolutionBuffers& buffers, const std::string& name,
                  CudaLibraries& libraries, Choices& choices);

  // On the stream of `libraries`. Does not wait.
  void run(const ConvolutionBuffers& buffers) const;

 private:
  // How to compute it: fused: one call of cuDNN does everything; separate: cuDNN convolves, a kernel of ours
  // does the rest; product: cuBLASLt.
  struct Way {
    enum class Kind { fused, separate, product } kind = Kind::fused;
    cudnnConvolutionFwdAlgo_t algorithm = CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM;
    std::string text() const;
  };

  void describe();
  void make_product();
  std::string key() const;
  std::vector<Way> ways() const;
  std::vector<cudnnConvolutionFwdAlgo_t> algorithms() const;
  std::optional<float> measure(const Way& way, const ConvolutionBuffers& buffers) const;
  Way choose(const ConvolutionBuffers& buffers, const std::string& name, Choices& choices) const;
  void run(const Way& way, const ConvolutionBuffers& buffers) const;

  template <typename T>
  using Owner = std::unique_ptr<T, cudnnStatus_t (*)(T*)>;

  ConvolutionShape shape_;
  CudaLibraries& libraries_;
  Owner<cudnnTensorStruct> x_, y_, bias_;
  Owner<cudnnFilterStruct> weights_;
  Owner<cudnnConvolutionStruct> convolution_;
  Owner<cudnnActivationStruct> activation_;
  std::optional<Gemm> product_;
  Way way_;
};

}  // namespace smearscope::network
