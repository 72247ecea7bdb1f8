#include "network/cuda/convolution.h"

#include <algorithm>
#include <array>

#include "network/cuda/check.h"
#include "ops/pooling.h"

namespace smearscope::network {
namespace {

using ops::Element;

template <typename T>
using Owner = std::unique_ptr<T, cudnnStatus_t (*)(T*)>;

template <typename T>
Owner<T> make(cudnnStatus_t (*create)(T**), cudnnStatus_t (*destroy)(T*)) {
  T* made = nullptr;
  check(create(&made), "describing a convolution");
  return {made, destroy};
}

cudnnDataType_t type_of(Element element) {
  return element == Element::f32 ? CUDNN_DATA_FLOAT : CUDNN_DATA_HALF;
}

}  // namespace

CudaLibraries::CudaLibraries() {
  int device = 0;
  cudaDeviceProp properties{};
  check(cudaGetDevice(&device), "asking for the current GPU");
  check(cudaGetDeviceProperties(&properties, device), "asking for the GPU's properties");
  check(cudnnCreate(&cudnn_), "starting cuDNN");
  check(cublasLtCreate(&cublas_), "starting cuBLASLt");
  check(cudnnSetStream(cudnn_, stream_.get()), "starting cuDNN");
  name_ = std::string(properties.name) + ", cuDNN " + std::to_string(cudnnGetVersion()) + ", cuBLASLt " +
          std::to_string(cublasLtGetVersion());
}

CudaLibraries::~CudaLibraries() {
  const std::lock_guard<std::mutex> lock(recording);  // cudnnDestroy waits for the device
  if (cudnn_) cudnnDestroy(cudnn_);
  if (cublas_) cublasLtDestroy(cublas_);
}

std::string CudaConvolution::Way::text() const {
  if (kind == Kind::product) return "product";
  return (kind == Kind::fused ? "fused " : "separate ") + std::to_string(static_cast<int>(algorithm));
}

CudaConvolution::CudaConvolution(const ConvolutionShape& shape, const ConvolutionBuffers& buffers,
                                 const std::string& name, CudaLibraries& libraries, Choices& choices)
    : shape_(shape),
      libraries_(libraries),
      x_(make(cudnnCreateTensorDescriptor, cudnnDestroyTensorDescriptor)),
      y_(make(cudnnCreateTensorDescriptor, cudnnDestroyTensorDescriptor)),
      bias_(make(cudnnCreateTensorDescriptor, cudnnDestroyTensorDescriptor)),
      weights_(make(cudnnCreateFilterDescriptor, cudnnDestroyFilterDescriptor)),
      convolution_(make(cudnnCreateConvolutionDescriptor, cudnnDestroyConvolutionDescriptor)),
      activation_(make(cudnnCreateActivationDescriptor, cudnnDestroyActivationDescriptor)) {
  describe();
  if (shape.kernel == 1 && shape.stride == 1) make_product();
  way_ = choose(buffers, name, choices);
}

void CudaConvolution::make_product() {
  const int rows = shape_.images * shape_.output.width * shape_.output.height;
  try {
    product_.emplace(libraries_.cublas(), GemmShape{rows, shape_.in, shape_.out, shape_.relu,
                                                    shape_.accumulate, shape_.element, shape_.element});
  } catch (const Error&) {
    // cuBLASLt can't: one way less.
  }
}

void CudaConvolution::describe() {
  const char* doing = "describing a convolution";
  const cudnnDataType_t type = type_of(shape_.element);
  const int padding = (shape_.kernel - 1) / 2;
  const ops::Size in = shape_.input, out = shape_.output;
  check(cudnnSetTensor4dDescriptor(x_.get(), CUDNN_TENSOR_NHWC, type, shape_.images, shape_.in, in.height,
                                   in.width),
        doing);
  check(cudnnSetTensor4dDescriptor(y_.get(), CUDNN_TENSOR_NHWC, type, shape_.images, shape_.out, out.height,
                                   out.width),
        doing);
  check(cudnnSetTensor4dDescriptor(bias_.get(), CUDNN_TENSOR_NHWC, type, 1, shape_.out, 1, 1), doing);
  check(cudnnSetFilter4dDescriptor(weights_.get(), type, CUDNN_TENSOR_NHWC, shape_.out, shape_.in,
                                   shape_.kernel, shape_.kernel),
        doing);
  check(cudnnSetConvolution2dDescriptor(convolution_.get(), padding, padding, shape_.stride, shape_.stride, 1,
                                        1, CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT),
        doing);
  // FMA: full float32. The default would allow TF32.
  check(cudnnSetConvolutionMathType(convolution_.get(),
                                    shape_.element == Element::f32 ? CUDNN_FMA_MATH : CUDNN_TENSOR_OP_MATH),
        doing);
  check(cudnnSetActivationDescriptor(activation_.get(),
                                     shape_.relu ? CUDNN_ACTIVATION_RELU : CUDNN_ACTIVATION_IDENTITY,
                                     CUDNN_NOT_PROPAGATE_NAN, 0),
        doing);
}

std::string CudaConvolution::key() const {
  const auto number = [](const char* name, int value) {
    return std::string(" ") + name + std::to_string(value);
  };
  return libraries_.name() + ", " + (shape_.element == Element::f32 ? "f32" : "f16") +
         number("n", shape_.images) + number("c", shape_.in) + number("h", shape_.input.height) +
         number("w", shape_.input.width) + number("k", shape_.out) + number("r", shape_.kernel) +
         number("s", shape_.stride) + (shape_.relu ? " relu" : "") + (shape_.accumulate ? " residual" : "");
}

// Those that repeat bit for bit and fit the workspace, in cuDNN's order.
std::vector<cudnnConvolutionFwdAlgo_t> CudaConvolution::algorithms() const {
  std::array<cudnnConvolutionFwdAlgoPerf_t, CUDNN_CONVOLUTION_FWD_ALGO_COUNT> found{};
  int count = 0;
  const cudnnStatus_t status =
      cudnnGetConvolutionForwardAlgorithm_v7(libraries_.cudnn(), x_.get(), weights_.get(), convolution_.get(),
                                             y_.get(), static_cast<int>(found.size()), &count, found.data());
  std::vector<cudnnConvolutionFwdAlgo_t> result;
  if (status != CUDNN_STATUS_SUCCESS) return result;
  for (int i = 0; i < count; ++i)
    if (found[i].status == CUDNN_STATUS_SUCCESS && found[i].determinism == CUDNN_DETERMINISTIC &&
        found[i].memory <= workspace_bytes &&
        std::find(result.begin(), result.end(), found[i].algo) == result.end())
      result.push_back(found[i].algo);
  return result;
}

std::vector<CudaConvolution::Way> CudaConvolution::ways() const {
  std::vector<Way> result;
  if (product_) result.push_back({Way::Kind::product, {}});
  for (const cudnnConvolutionFwdAlgo_t algorithm : algorithms()) {
    // Without ReLU only this one may be fused (cuDNN's documentation of
    // cudnnConvolutionBiasActivationForward).
    if (shape_.relu || algorithm == CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM)
      result.push_back({Way::Kind::fused, algorithm});
    result.push_back({Way::Kind::separate, algorithm});
  }
  return result;
}

// The least time of some runs, in milliseconds; nothing if it does not work.
std::optional<float> CudaConvolution::measure(const Way& way, const ConvolutionBuffers& buffers) const {
  constexpr int runs = 4;  // the first warms up
  const cudaStream_t stream = libraries_.stream().get();
  std::optional<float> least;
  try {
    for (int i = 0; i < runs; ++i) {
      const Event first, last;
      check(cudaEventRecord(first.get(), stream), "measuring");
      run(way, buffers);
      check(cudaEventRecord(last.get(), stream), "measuring");
      libraries_.stream().wait();
      const float time = milliseconds_between(first, last);
      if (i > 0) least = std::min(least.value_or(time), time);
    }
  } catch (const Error&) {
    const std::lock_guard<std::mutex> lock(recording);
    if (cudaDeviceSynchronize() != cudaSuccess) throw;  // the device is lost: no other way would work
    cudaGetLastError();
    return std::nullopt;
  }
  return least;
}

CudaConvolution::Way CudaConvolution::choose(const ConvolutionBuffers& buffers, const std::string& name,
                                             Choices& choices) const {
  const std::vector<Way> all = ways();
  const auto named = [&](const std::string& text) {
    return std::find_if(all.begin(), all.end(), [&](const Way& way) { return way.text() == text; });
  };
  if (const std::optional<std::string> kept = choices.find(key()))
    if (const auto way = named(*kept); way != all.end() && measure(*way, buffers)) return *way;
  std::optional<Way> best;
  float least = 0;
  for (const Way& way : all)
    if (const std::optional<float> time = measure(way, buffers); time && (!best || *time < least)) {
      best = way;
      least = *time;
    }
  if (!best)
    throw Error("the CUDA engine has no way to compute " + name + " (" + key() + "); please report this");
  const auto kept = named(choices.keep(key(), best->text()));
  return kept != all.end() ? *kept : *best;
}

void CudaConvolution::run(const ConvolutionBuffers& buffers) const {
  run(way_, buffers);
}

void CudaConvolution::run(const Way& way, const ConvolutionBuffers& buffers) const {
  const cudaStream_t stream = libraries_.stream().get();
  const void* weights = buffers.weights->weights.get();
  const void* bias = buffers.weights->bias.get();
  if (way.kind == Way::Kind::product)
    return product_->run(buffers.x, weights, bias, buffers.y, buffers.workspace, stream);
  const float one = 1, kept = shape_.accumulate ? 1 : 0;
  if (way.kind == Way::Kind::fused)
    return check(cudnnConvolutionBiasActivationForward(
                     libraries_.cudnn(), &one, x_.get(), buffers.x, weights_.get(), weights,
                     convolution_.get(), way.algorithm, buffers.workspace, workspace_bytes, &kept, y_.get(),
                     buffers.y, bias_.get(), bias, activation_.get(), y_.get(), buffers.y),
                 "starting a convolution");
  check(cudnnConvolutionForward(libraries_.cudnn(), &one, x_.get(), buffers.x, weights_.get(), weights,
                                convolution_.get(), way.algorithm, buffers.workspace, workspace_bytes, &kept,
                                y_.get(), buffers.y),
        "starting a convolution");
  const std::size_t positions = std::size_t{1} * shape_.images * shape_.output.width * shape_.output.height;
  ops::add_bias_cuda(buffers.y, bias, shape_.relu, positions, shape_.out, shape_.element, stream);
}

}  // namespace smearscope::network
