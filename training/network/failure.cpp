#include "network/failure.h"

#include <new>

namespace smearscope::training {

std::string first_line(const std::exception& problem) {
  const std::string text = problem.what();
  return text.substr(0, text.find('\n'));
}

bool is_out_of_memory(const std::exception& problem) {
  if (dynamic_cast<const std::bad_alloc*>(&problem) != nullptr) return true;
  const std::string text = first_line(problem);
  // c10/core/impl/alloc_cpu.cpp, c10/cuda/CUDACachingAllocator.cpp, CUDA's own message, and cuDNN's and
  // cuBLAS's status
  for (const char* words : {"can't allocate memory", "not enough memory", "CUDA out of memory",
                            "error: out of memory", "ALLOC_FAILED"}) {
    if (text.find(words) != std::string::npos) return true;
  }
  return false;
}

}  // namespace smearscope::training
