// Memory that grows when it must and is never shrunk or copied.
#pragma once

#include <cstdlib>
#include <memory>
#include <new>

namespace smearscope::network {

class AlignedBuffer {
 public:
  // At least `bytes`, aligned to 64. What it held is lost if it grows. Throws std::bad_alloc.
  void* require(std::size_t bytes) {
    if (bytes > bytes_) {
      memory_.reset();
      bytes_ = 0;
      const std::size_t rounded = (bytes + 63) / 64 * 64;
      memory_.reset(std::aligned_alloc(64, rounded));
      if (!memory_) throw std::bad_alloc();
      bytes_ = rounded;
    }
    return memory_.get();
  }

  float* require_floats(std::size_t count) { return static_cast<float*>(require(count * sizeof(float))); }

  void* get() const { return memory_.get(); }
  std::size_t bytes() const { return bytes_; }

 private:
  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };
  std::unique_ptr<void, Free> memory_;
  std::size_t bytes_ = 0;
};

}  // namespace smearscope::network
