#include "loop/loss_scale.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <limits>

namespace smearscope::training {

LossScale::LossScale(c10::Device device, const LossScaleOptions& options) : options_(options) {
  const auto f32 = at::TensorOptions(device).dtype(at::kFloat);
  scale_ = at::full({1}, options.initial, f32);
  good_steps_ = at::zeros({1}, f32);
  overflow_ = at::zeros({1}, f32.dtype(at::kBool));
}

at::Tensor LossScale::scaled(const at::Tensor& loss) const {
  return loss * scale_[0];
}

void LossScale::unscale(const std::vector<at::Tensor>& gradients) {
  const at::NoGradGuard no_gradient;
  if (gradients.empty()) {
    overflow_.zero_();
    return;
  }
  // The largest magnitude of each list, which NaN passes through.
  const std::vector<at::Tensor> largest =
      at::_foreach_norm(gradients, std::numeric_limits<double>::infinity());
  overflow_.copy_(at::stack(largest).isfinite().all().logical_not());
  const at::Tensor inverse = scale_[0].to(at::kDouble).reciprocal().to(at::kFloat);
  for (const at::Tensor& gradient : gradients) gradient.mul_(inverse);
}

// A choice, not a product with 0 or 1: 0 times what has overflowed is NaN.
void LossScale::restore_after_overflow(const std::vector<at::Tensor>& values,
                                       const std::vector<at::Tensor>& before) const {
  const at::NoGradGuard no_gradient;
  for (std::size_t i = 0; i < values.size(); ++i) {
    at::Tensor value = values[i];
    at::where_out(value, overflow_[0], before[i], value);
  }
}

void LossScale::update() {
  const at::NoGradGuard no_gradient;
  const at::Tensor good_steps = good_steps_ + 1, grown = scale_ * options_.growth;
  const at::Tensor is_time = good_steps.eq(options_.growth_interval);
  const at::Tensor next = at::where(is_time.logical_and(grown.isfinite()), grown, scale_);
  scale_.copy_(at::where(overflow_, scale_ * options_.backoff, next));
  good_steps_.copy_(good_steps.masked_fill(overflow_.logical_or(is_time), 0));
}

std::map<std::string, at::Tensor> LossScale::state() const {
  return {{"scale", scale_}, {"good_steps", good_steps_}};
}

}  // namespace smearscope::training
