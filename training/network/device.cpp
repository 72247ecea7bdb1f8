#include "network/device.h"

#include <ATen/ATen.h>
#include <torch/cuda.h>

#include <cctype>

#include "network/cuda_operations.h"
#include "smearscope/error.h"

namespace smearscope::training {
namespace {

// The number in "cuda:N"; 0 for "cuda"; -1: neither of them.
int cuda_index(const std::string& name) {
  if (name == "cuda") return 0;
  if (name.rfind("cuda:", 0) != 0 || name.size() < 6 || name.size() > 7) return -1;
  int index = 0;
  for (const char digit : name.substr(5)) {
    if (!std::isdigit(static_cast<unsigned char>(digit))) return -1;
    index = index * 10 + (digit - '0');
  }
  return index;
}

}  // namespace

c10::Device device_named(const std::string& name) {
  if (name == "cpu") return at::kCPU;
  const int index = cuda_index(name);
  const std::string option = "--device " + name + ": ";
  if (index < 0) throw Error(option + "is not cpu, cuda or cuda:N");
  if (!has_cuda_operations()) {
    throw Error(option +
                "built without CUDA: needs a LibTorch with CUDA (-Dlibtorch=FOLDER) and the CUDA Toolkit");
  }
  const auto devices = static_cast<int>(torch::cuda::device_count());
  if (devices == 0)
    throw Error(option + "no CUDA device here (nvidia-smi lists them, or says what is wrong)");
  if (index >= devices) {
    throw Error(option + "there is no such CUDA device; the last is cuda:" + std::to_string(devices - 1));
  }
  return {at::kCUDA, static_cast<c10::DeviceIndex>(index)};
}

void move_to(FasterRcnn& network, c10::Device device) {
  network->to(device);
  if (!device.is_cuda()) return;
  const at::NoGradGuard no_gradient;
  for (at::Tensor& weight : network->parameters()) {
    if (weight.dim() == 4) weight.set_data(weight.contiguous(at::MemoryFormat::ChannelsLast));
  }
}

}  // namespace smearscope::training
