#include "corpus/parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace smearscope::corpus {

unsigned default_threads() {
  return std::max(1U, std::thread::hardware_concurrency());
}

void parallel_for(std::size_t count, unsigned threads, const std::function<void(std::size_t)>& task) {
  if (threads == 0) threads = default_threads();
  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};
  std::mutex mutex;  // guards what follows
  std::exception_ptr problem;
  std::size_t problem_index = 0;

  const auto work = [&] {
    while (!failed) {
      const std::size_t index = next++;
      if (index >= count) return;
      try {
        task(index);
      } catch (...) {
        failed = true;
        const std::lock_guard lock(mutex);
        if (!problem || index < problem_index) {
          problem = std::current_exception();
          problem_index = index;
        }
      }
    }
  };
  // This thread is one of them.
  std::vector<std::thread> others;
  for (std::size_t i = 1; i < std::min<std::size_t>(threads, count); ++i) others.emplace_back(work);
  work();
  for (std::thread& thread : others) thread.join();
  if (problem) std::rethrow_exception(problem);
}

}  // namespace smearscope::corpus
