// The emulated machine: what tests can set, and how work is enqueued.
#pragma once

#include <cstddef>
#include <functional>

namespace smearscope::ops::emulated {

struct Machine {
  int driver = 13000;  // CUDA's numbers; 0: no driver
  int devices = 2;
  int architecture = 90;            // compute capability times ten
  std::size_t memory = 1ULL << 40;  // bytes that cudaMalloc gives out
};
extern Machine machine;

// Bytes given out by cudaMalloc and not freed, and calls of it so far.
std::size_t allocated_bytes();
int allocations();

// Runs `work` at once, or, while a graph is being recorded, each time that the graph is started.
void enqueue(std::function<void()> work);

// Whether a graph is being recorded: what waits or allocates then is an error, as with CUDA.
bool is_recording();

}  // namespace smearscope::ops::emulated
