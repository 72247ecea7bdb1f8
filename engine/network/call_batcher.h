// Calls that come from several threads, run together.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <vector>

#include "network/backend.h"

namespace smearscope {

// One thread at a time runs a batch; the calls of all that wait meanwhile go into the next, in the order in
// which they came. So one stream alone never waits, and many streams fill the batches by themselves.
class CallBatcher {
 public:
  using Run = std::function<void(const std::vector<DetectionJob>&, const Thresholds&)>;

  // most_jobs: of a batch; a call that has more is a batch of its own. wait: how long a batch that is not
  // full waits for more. `run` is called by one thread at a time.
  CallBatcher(Run run, int most_jobs, std::chrono::duration<double, std::milli> wait);

  // Returns when the jobs are done, by this thread or another. Throws what `run` threw. Calls are joined only
  // if their thresholds are the same.
  void call(std::vector<DetectionJob> jobs, const Thresholds& thresholds);

 private:
  struct Call {
    std::vector<DetectionJob> jobs;
    Thresholds thresholds;
    bool done = false;
    std::exception_ptr problem;
  };

  std::vector<Call*> batch() const;
  void run_next(std::unique_lock<std::mutex>& lock);

  const Run run_;
  const std::size_t most_jobs_;
  const std::chrono::steady_clock::duration wait_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::deque<Call*> waiting_;
  bool running_ = false;
};

}  // namespace smearscope
