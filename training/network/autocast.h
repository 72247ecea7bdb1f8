// Mixed precision: convolutions and linear layers in bf16, weights, gradients and optimiser in f32.
#pragma once

#include <c10/core/DeviceType.h>

namespace smearscope::training {

// While one lives, this thread's operations on `device` follow LibTorch's autocast rules with bf16, which has
// f32's range, so that losses need no scaling. Not to be nested. `on` false does nothing.
class Autocast {
 public:
  Autocast(bool on, c10::DeviceType device);
  ~Autocast();
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  const bool on_;
  const c10::DeviceType device_;
};

}  // namespace smearscope::training
