#include "loop/schedule.h"

#include <cmath>

namespace smearscope::training {

double learning_rate_at(const Optimisation& options, std::size_t step, std::size_t total_steps,
                        std::size_t steps_per_epoch) {
  double rate = options.learning_rate;
  const double done = static_cast<double>(step) / static_cast<double>(total_steps);
  if (options.schedule == Schedule::cosine) {
    rate *= 0.5 * (1 + std::cos(std::acos(-1.0) * done));
  } else {
    for (double milestone : options.milestones) {
      if (done >= milestone) rate *= options.gamma;
    }
    if (options.step_epochs > 0) {
      const std::size_t drops = step / steps_per_epoch / static_cast<std::size_t>(options.step_epochs);
      rate *= std::pow(options.gamma, static_cast<double>(drops));
    }
  }
  const auto warmup = static_cast<std::size_t>(options.warmup_steps);
  if (step < warmup) {
    const double t = static_cast<double>(step) / static_cast<double>(warmup);
    rate *= 0.001 * (1 - t) + t;
  }
  return rate;
}

}  // namespace smearscope::training
