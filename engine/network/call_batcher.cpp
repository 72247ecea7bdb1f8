#include "network/call_batcher.h"

#include <algorithm>
#include <utility>

namespace smearscope {
namespace {

bool same(const Thresholds& a, const Thresholds& b) {
  return a.score == b.score && a.nms == b.nms && a.max_detections == b.max_detections &&
         a.sum_kinds == b.sum_kinds;
}

}  // namespace

CallBatcher::CallBatcher(Run run, int most_jobs, std::chrono::duration<double, std::milli> wait)
    : run_(std::move(run)),
      most_jobs_(static_cast<std::size_t>(std::max(1, most_jobs))),
      wait_(std::chrono::duration_cast<std::chrono::steady_clock::duration>(wait)) {}

void CallBatcher::call(std::vector<DetectionJob> jobs, const Thresholds& thresholds) {
  Call call{std::move(jobs), thresholds, false, nullptr};
  std::unique_lock<std::mutex> lock(mutex_);
  waiting_.push_back(&call);
  changed_.notify_all();
  changed_.wait(lock, [&] { return call.done || (!running_ && waiting_.front() == &call); });
  if (!call.done) run_next(lock);
  if (call.problem) std::rethrow_exception(call.problem);
}

// The call that has waited longest, and what can join it.
std::vector<CallBatcher::Call*> CallBatcher::batch() const {
  std::vector<Call*> calls;
  std::size_t jobs = 0;
  for (Call* const call : waiting_) {
    if (!same(call->thresholds, waiting_.front()->thresholds)) continue;
    if (!calls.empty() && jobs + call->jobs.size() > most_jobs_) break;
    calls.push_back(call);
    jobs += call->jobs.size();
  }
  return calls;
}

void CallBatcher::run_next(std::unique_lock<std::mutex>& lock) {
  running_ = true;
  const auto is_full = [&] {
    std::size_t jobs = 0;
    for (const Call* call : batch()) jobs += call->jobs.size();
    return jobs >= most_jobs_;
  };
  if (wait_.count() > 0) changed_.wait_for(lock, wait_, is_full);
  const std::vector<Call*> calls = batch();
  std::vector<DetectionJob> jobs = std::move(calls.front()->jobs);
  for (std::size_t i = 1; i < calls.size(); ++i)
    jobs.insert(jobs.end(), calls[i]->jobs.begin(), calls[i]->jobs.end());
  const Thresholds thresholds = calls.front()->thresholds;

  lock.unlock();
  std::exception_ptr problem;
  try {
    run_(jobs, thresholds);
  } catch (...) {
    problem = std::current_exception();
  }
  lock.lock();

  for (Call* const call : calls) {
    waiting_.erase(std::find(waiting_.begin(), waiting_.end(), call));
    call->problem = problem;
    call->done = true;
  }
  running_ = false;
  changed_.notify_all();
}

}  // namespace smearscope
