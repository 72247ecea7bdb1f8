// Ends the wait of a thread that polls file descriptors.
#pragma once

namespace smearscope {

// ring() may be called by any thread, and never waits. clear() is called by the thread that waits until
// descriptor() can be read; rings before it are one. The constructor throws std::system_error.
class WakeUp {
 public:
  WakeUp();
  ~WakeUp();
  WakeUp(const WakeUp&) = delete;
  WakeUp& operator=(const WakeUp&) = delete;

  void ring();
  void clear();
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

}  // namespace smearscope
