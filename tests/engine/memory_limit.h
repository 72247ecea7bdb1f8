// A process short of memory.
#pragma once

#include <malloc.h>
#include <sys/resource.h>

#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <vector>

namespace smearscope::testing {

// While one lives, the process can map `bytes` more than it has, and what malloc holds back is given up
// first. AddressSanitizer and ThreadSanitizer map more than any limit: memory_can_be_limited says so.
class MemoryLimit {
 public:
  explicit MemoryLimit(std::size_t bytes) {
    malloc_trim(0);
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    getrlimit(RLIMIT_AS, &before_);
    rlimit limit = before_;
    limit.rlim_cur = pages * 4096 + bytes;
    if (setrlimit(RLIMIT_AS, &limit) != 0) throw std::runtime_error("the memory can't be limited");
  }
  ~MemoryLimit() {
    setrlimit(RLIMIT_AS, &before_);
    for (void* block : taken_) std::free(block);
  }
  MemoryLimit(const MemoryLimit&) = delete;
  MemoryLimit& operator=(const MemoryLimit&) = delete;

  // Takes all that is left, also what malloc holds in large pieces, but for pieces of less than a megabyte.
  void use_up() {
    constexpr std::size_t piece = 1 << 20;
    taken_.reserve(100000);
    while (taken_.size() < taken_.capacity()) {
      void* const block = std::malloc(piece);
      if (!block) return;
      taken_.push_back(block);
    }
    throw std::runtime_error("more memory is left than the limit allows");
  }

 private:
  rlimit before_;
  std::vector<void*> taken_;
};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool memory_can_be_limited = false;
#else
inline constexpr bool memory_can_be_limited = true;
#endif

}  // namespace smearscope::testing
