// The learning rate at a step.
#pragma once

#include <cstddef>

#include "loop/regimen.h"

namespace smearscope::training {

// step: 0-based. Linear warm-up from a thousandth of the rate over warmup_steps, times the schedule:
// step: gamma for each milestone (fraction of total_steps) passed, and for each step_epochs epochs done;
// cosine: half a cosine from 1 at step 0 to 0 at total_steps.
double learning_rate_at(const Optimisation& options, std::size_t step, std::size_t total_steps,
                        std::size_t steps_per_epoch);

}  // namespace smearscope::training
