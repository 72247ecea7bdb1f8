// Work on many images at once, with results that don't depend on how many threads did it.
#pragma once

#include <cstddef>
#include <functional>

namespace smearscope::corpus {

// The processors that this process may use.
unsigned default_threads();

// Calls task(0) ... task(count - 1), each once, on `threads` threads (0: default_threads()), in about that
// order; returns when all have returned. A task writes its result to a place of its own (results[i]), so that
// the order of results is that of the indices. If tasks throw, the exception of the lowest index that threw
// is thrown on after the tasks under way have ended; tasks not begun by then are not called. `task` must be
// safe to call from several threads at once.
void parallel_for(std::size_t count, unsigned threads, const std::function<void(std::size_t)>& task);

}  // namespace smearscope::corpus
