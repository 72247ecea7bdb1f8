// What the processes of a run tell each other besides gradients. `processes`: null is one process alone.
#pragma once

#include <cstddef>
#include <string>

#include "loop/progress.h"
#include "network/processes.h"

namespace smearscope::training {

// Throws Error in every process if `what`, all that decides on the run, is not the same in all.
void check_the_same(Processes& processes, const std::string& what);

// Replaces the process's part of the losses and of the images by the sum over all.
void add_up(Processes* processes, LossValues& losses, std::size_t& images);

// Whether one of the processes says so.
bool any_of(Processes* processes, bool here);

}  // namespace smearscope::training
