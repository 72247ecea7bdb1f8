// What waits to be published, between the thread of the stream and the one that publishes.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "report/wake_up.h"

namespace smearscope {

// Bounded: at most 64 frames or 4 MiB wait, and one tally. Any thread; nothing waits but the two functions
// that say so.
class MqttOutbox {
 public:
  using Clock = std::chrono::steady_clock;

  // ---- of the stream
  void set_tally(std::string json);  // in place of the one before
  void add_frame(std::string json);  // the oldest give way
  std::uint64_t frames_dropped() const;
  std::vector<std::string> take_warnings();
  // Nothing more comes; what waits may be sent until `deadline`.
  void close(Clock::time_point deadline);
  // Waits for finish(), at most until `time`; false if it did not come.
  bool wait_for_finish(Clock::time_point time);
  // Frames that still wait count as dropped. Whether the newest tally was sent, or there was none.
  bool give_up();

  // ---- of the publishing thread
  std::optional<std::string> take_tally();  // nothing if it was taken already
  std::optional<std::string> take_frame();
  void return_tally();   // the one that was taken has to be taken again, unless there is a newer one
  bool waiting() const;  // there is something to take
  bool closed() const;
  bool expired() const;                        // closed, and the deadline has passed
  void wait_for_close(Clock::duration limit);  // at most so long
  void warn(const std::string& line);
  void finish();     // the thread is done
  WakeUp& wake_up()  // rings when there is something to take, or on close
  {
    return wake_up_;
  }

 private:
  mutable std::mutex mutex_;         // guards all but wake_up_
  std::condition_variable changed_;  // closed, or finished
  std::deque<std::string> frames_;
  std::size_t bytes_ = 0;  // of frames_
  std::uint64_t dropped_ = 0;
  std::string tally_;  // the newest; empty: none yet
  bool tally_waits_ = false;
  std::vector<std::string> warnings_;
  std::optional<Clock::time_point> deadline_;
  bool finished_ = false;
  WakeUp wake_up_;
};

}  // namespace smearscope
