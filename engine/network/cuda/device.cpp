#include "network/cuda/device.h"

#include <string>

#include "network/cuda/check.h"
#include "smearscope/error.h"

namespace smearscope::network {
namespace {

// CUDA's numbers: 12040 is 12.4.
std::string version_name(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

void check_driver() {
  int driver = 0;
  if (cudaDriverGetVersion(&driver) != cudaSuccess || driver == 0)
    throw Error("no NVIDIA driver is installed here; install one, or use device cpu");
}

int count_devices() {
  int count = 0, driver = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  cudaDriverGetVersion(&driver);
  if (status == cudaErrorInsufficientDriver)
    throw Error("the NVIDIA driver is too old: it has CUDA " + version_name(driver) +
                ", and this build needs " + version_name(CUDART_VERSION) +
                "; update the driver, or use device cpu");
  if (status == cudaErrorNoDevice || (status == cudaSuccess && count == 0))
    throw Error("this machine has no GPU that CUDA can use; use device cpu");
  if (status != cudaSuccess) throw Error(std::string("CUDA can't start: ") + cudaGetErrorString(status));
  return count;
}

}  // namespace

void check_device(int index) {
  check_driver();
  const int count = count_devices();
  if (index < 0 || index >= count)
    throw Error("this machine has " + std::to_string(count) + (count == 1 ? " GPU" : " GPUs") +
                ", and numbers start with 0");
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, index), "asking for the GPU's properties");
  const int architecture = 10 * properties.major + properties.minor;
  if (architecture < SMEARSCOPE_LEAST_CUDA_ARCHITECTURE)
    throw Error(std::string("the ") + properties.name + " has compute capability " +
                std::to_string(properties.major) + "." + std::to_string(properties.minor) +
                ", and this build needs " + std::to_string(SMEARSCOPE_LEAST_CUDA_ARCHITECTURE / 10) + "." +
                std::to_string(SMEARSCOPE_LEAST_CUDA_ARCHITECTURE % 10) + " or more");
}

DeviceScope::DeviceScope(int index) {
  check(cudaGetDevice(&before_), "asking for the current GPU");
  check(cudaSetDevice(index), "choosing the GPU");
}

DeviceScope::~DeviceScope() {
  cudaSetDevice(before_);
}

}  // namespace smearscope::network
