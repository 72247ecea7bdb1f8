// Stands in for the CUDA backend in a build without it.
#include "network/backend.h"

namespace smearscope {

void check_cuda_device(int index) {
  throw Error("device " + Device::cuda(index).to_string() +
              " asked for, but this build has no CUDA engine; configure with -Dcuda=enabled (needs the CUDA "
              "Toolkit and "
              "cuDNN), or use device cpu");
}

std::unique_ptr<Backend> make_cuda_backend(const Model&, const Device& device, Precision) {
  check_cuda_device(device.index);
  return nullptr;
}

}  // namespace smearscope
