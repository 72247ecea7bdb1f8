// How far long work is, on standard error.
#pragma once

#include <chrono>
#include <cstddef>
#include <mutex>
#include <string>

namespace smearscope::corpus {

// "reading pbc  [#####.....] 1540/3080  0:04 left". On a terminal a bar that is redrawn; else a line every
// half minute, so that a log of short work stays empty. Thread-safe.
class Progress {
 public:
  Progress(std::string what, std::size_t total);
  ~Progress();  // takes the bar away
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void step();  // one more is done

 private:
  void show();

  using Clock = std::chrono::steady_clock;
  std::mutex mutex_;  // guards what follows
  std::string what_;
  std::size_t total_, done_ = 0;
  bool is_terminal_, bar_shown_ = false;
  Clock::time_point begin_, shown_;
};

}  // namespace smearscope::corpus
