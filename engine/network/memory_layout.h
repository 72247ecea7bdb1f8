// Places buffers that live for a span of steps in one block of memory.
#pragma once

#include <cstddef>
#include <vector>

namespace smearscope::network {

// A buffer that is first written in step `first` and last used in step `last`.
struct Lifetime {
  std::size_t bytes = 0;
  int first = 0;
  int last = 0;
  std::size_t offset = 0;  // result, a multiple of 64
};

// Sets the offsets such that no two buffers that are alive in the same step overlap; first fit in order of
// `first`. Returns the bytes of the whole block.
std::size_t lay_out(std::vector<Lifetime>& buffers);

}  // namespace smearscope::network
