#include "network/autocast.h"

#include <ATen/autocast_mode.h>
#include <torch/version.h>

namespace smearscope::training {
namespace {

void enable(bool on, c10::DeviceType device) {
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
  at::autocast::set_autocast_dtype(device, at::kBFloat16);
  at::autocast::set_autocast_enabled(device, on);
#else
  if (device == c10::kCUDA) {
    at::autocast::set_autocast_gpu_dtype(at::kBFloat16);
    at::autocast::set_enabled(on);
  } else {
    at::autocast::set_autocast_cpu_dtype(at::kBFloat16);
    at::autocast::set_cpu_enabled(on);
  }
#endif
}

}  // namespace

Autocast::Autocast(bool on, c10::DeviceType device) : on_(on), device_(device) {
  if (on_) enable(true, device_);
}

Autocast::~Autocast() {
  if (!on_) return;
  enable(false, device_);
  at::autocast::clear_cache();  // the weights' bf16 copies, which the next step's weights will differ from
}

}  // namespace smearscope::training
