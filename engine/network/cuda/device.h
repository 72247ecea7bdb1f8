// Which GPU this thread uses, and whether it can be used.
#pragma once

namespace smearscope::network {

// Throws Error, without "device cuda:N asked for", as CudaLibrary::check_device says.
void check_device(int index);

// The device of the calling thread's CUDA calls while this lives, and the one before afterwards.
class DeviceScope {
 public:
  explicit DeviceScope(int index);
  ~DeviceScope();
  DeviceScope(const DeviceScope&) = delete;
  DeviceScope& operator=(const DeviceScope&) = delete;

 private:
  int before_ = 0;
};

}  // namespace smearscope::network
