#include "network/autocast.h"

#include <ATen/autocast_mode.h>
#include <torch/version.h>

#include "smearscope/error.h"

namespace smearscope::training {
namespace {

at::ScalarType type_of(MixedPrecision precision) {
  return precision == MixedPrecision::f16 ? at::kHalf : at::kBFloat16;
}

void enable(bool on, c10::DeviceType device, at::ScalarType type) {
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
  at::autocast::set_autocast_dtype(device, type);
  at::autocast::set_autocast_enabled(device, on);
#else
  if (device == c10::kCUDA) {
    at::autocast::set_autocast_gpu_dtype(type);
    at::autocast::set_enabled(on);
  } else {
    at::autocast::set_autocast_cpu_dtype(type);
    at::autocast::set_cpu_enabled(on);
  }
#endif
}

}  // namespace

Autocast::Autocast(MixedPrecision precision, c10::DeviceType device)
    : precision_(precision), device_(device) {
  if (precision == MixedPrecision::off) return;
  if (precision == MixedPrecision::f16 && device != c10::kCUDA)
    throw Error("autocast in f16 needs a CUDA device; on a CPU it is bf16");
  enable(true, device_, type_of(precision));
}

Autocast::~Autocast() {
  if (precision_ == MixedPrecision::off) return;
  enable(false, device_, type_of(precision_));
  at::autocast::clear_cache();  // the weights' narrow copies, which the next step's weights will differ from
}

}  // namespace smearscope::training
