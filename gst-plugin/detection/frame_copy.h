// A frame's pixels, kept beyond the call that lent them.
#pragma once

#include <cstdint>
#include <vector>

#include "smearscope/frame.h"

namespace smearscope {

// Host memory only. Assigning frames of one size and format again and again allocates once. One thread at a
// time.
class FrameCopy {
 public:
  void assign(const Frame& frame);
  const Frame& view() const { return view_; }  // valid until the next assign

 private:
  std::vector<std::uint8_t> bytes_;
  Frame view_;
};

}  // namespace smearscope
