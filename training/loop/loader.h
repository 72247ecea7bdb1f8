// Batches made ahead of time by other threads.
#pragma once

#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "loop/samples.h"

namespace smearscope::training {

// Gives out the batches first, first + 1, ... in order, whichever thread made them first.
class Loader {
 public:
  // `samples` must outlive the loader.
  Loader(const Samples& samples, std::size_t first, std::size_t end, int threads, Share share = {});
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  // The next batch; throws what making it threw. Call from one thread, at most end - first times.
  Batch next();

 private:
  struct Made {
    Batch batch;
    std::exception_ptr problem;
  };
  void work();

  const Samples& samples_;
  const std::size_t end_;
  const Share share_;
  const std::size_t batches_ahead_;  // made before they are asked for; enough for all threads to be at work
  std::mutex mutex_;                 // guards what follows
  std::condition_variable changed_;
  std::map<std::size_t, Made> made_;
  std::size_t next_to_make_, next_to_give_;
  bool stop_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace smearscope::training
