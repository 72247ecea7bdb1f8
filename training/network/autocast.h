// Mixed precision: convolutions and linear layers in bf16 or f16, weights, gradients and optimiser in f32.
#pragma once

#include <c10/core/DeviceType.h>

#include "network/training_settings.h"

namespace smearscope::training {

// While one lives, this thread's operations on `device` follow LibTorch's autocast rules with that precision.
// Not to be nested. MixedPrecision::off does nothing. Throws smearscope::Error on f16 on a CPU.
class Autocast {
 public:
  Autocast(MixedPrecision precision, c10::DeviceType device);
  ~Autocast();
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  const MixedPrecision precision_;
  const c10::DeviceType device_;
};

}  // namespace smearscope::training
