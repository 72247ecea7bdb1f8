#include "loop/loader.h"

#include <algorithm>
#include <utility>

namespace smearscope::training {

Loader::Loader(const Samples& samples, std::size_t first, std::size_t end, int threads, Share share)
    : samples_(samples),
      end_(end),
      share_(share),
      batches_ahead_(static_cast<std::size_t>(std::max(4, threads + 2))),
      next_to_make_(first),
      next_to_give_(first) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

Loader::~Loader() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Loader::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stop_ || next_to_make_ < next_to_give_ + batches_ahead_; });
    if (stop_ || next_to_make_ >= end_) return;
    const std::size_t step = next_to_make_++;
    lock.unlock();
    Made made;
    try {
      made.batch = samples_.batch(step, share_);
    } catch (...) {
      made.problem = std::current_exception();
    }
    lock.lock();
    made_[step] = std::move(made);
    changed_.notify_all();
  }
}

Batch Loader::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return made_.count(next_to_give_) > 0; });
  Made made = std::move(made_.extract(next_to_give_++).mapped());
  lock.unlock();
  changed_.notify_all();
  if (made.problem) std::rethrow_exception(made.problem);
  return std::move(made.batch);
}

}  // namespace smearscope::training
