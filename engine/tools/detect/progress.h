// A progress bar on a terminal.
#pragma once

#include <chrono>
#include <string>

namespace smearscope::detect {

// "[######......] 12/120  1.5 images/s  1:12 left" on the standard error, rewritten in place at most 10 times
// a second; nothing at all where that is no terminal.
class Progress {
 public:
  explicit Progress(std::size_t total);
  ~Progress();  // removes the bar
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void advance();                         // one more image is done
  void message(const std::string& line);  // a line on the standard error, above the bar

 private:
  void show();
  void clear() const;

  using Clock = std::chrono::steady_clock;
  bool terminal_;
  std::size_t total_, done_ = 0;
  Clock::time_point start_ = Clock::now(), shown_{};
};

}  // namespace smearscope::detect
