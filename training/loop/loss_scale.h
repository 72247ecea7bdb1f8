// Training in f16: the loss is multiplied by a scale before its gradients are taken, so that small ones do
// not vanish in f16, and the scale follows what f16 can hold.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <vector>

namespace smearscope::training {

// The defaults are those of torch.amp.GradScaler; the method is that of Micikevicius et al., 2018 (Mixed
// Precision Training), section 3.2.
struct LossScaleOptions {
  double initial = 65536;
  double growth = 2;     // times this after growth_interval steps in turn without an overflow
  double backoff = 0.5;  // times this after a step with one
  int growth_interval = 2000;
};

// One step:
//   scaled(loss).backward(); unscale(gradients); the step, which changes `values`;
//   restore_after_overflow(values, what they were before); update()
// Everything stays on the device that it was made for, and nothing waits for it. The scale is a power of two
// throughout, so that it changes no digit of gradients that f16 and f32 hold.
class LossScale {
 public:
  explicit LossScale(c10::Device device, const LossScaleOptions& options = {});

  at::Tensor scaled(const at::Tensor& loss) const;

  // Divides by the scale, in place. A value that is not finite anywhere in them is an overflow. Processes
  // that have summed their gradients agree on it.
  void unscale(const std::vector<at::Tensor>& gradients);

  // Where the last unscale had an overflow, makes values[i] what before[i] is; else leaves them.
  void restore_after_overflow(const std::vector<at::Tensor>& values,
                              const std::vector<at::Tensor>& before) const;

  // The scale of the next step, as GradScaler.update: a scale that would not be finite does not grow.
  void update();

  // "scale" and "good_steps", [1] each, f32: to be saved, and written to when a run is resumed.
  std::map<std::string, at::Tensor> state() const;

 private:
  const LossScaleOptions options_;
  at::Tensor scale_, good_steps_;  // of those since the scale has changed
  at::Tensor overflow_;            // of the last unscale; bool [1]
};

}  // namespace smearscope::training
