// How OpenMP's threads wait for each other.
#pragma once

namespace smearscope::network {

// From the first call on, threads of OpenMP teams that wait for work sleep after a moment instead of spinning
// for milliseconds. Spinning makes a frame several times slower as soon as another thread of the pipeline (a
// decoder, a display) needs a core, because waiting and working threads then take turns by the scheduler's
// clock.
//
// GNU libgomp shortens its spinning by itself while it keeps more threads than there are cores
// (config/linux/wait.h: gomp_throttled_spin_count_var); this call makes it keep one more. It does nothing
// where the user decided by OMP_WAIT_POLICY or GOMP_SPINCOUNT, and no harm with another OpenMP library. Any
// thread may call it.
void let_waiting_threads_sleep();

}  // namespace smearscope::network
