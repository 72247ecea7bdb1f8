#include "detection/live_detector.h"

#include <pthread.h>
#include <sys/resource.h>

#include <algorithm>
#include <utility>

namespace smearscope {
namespace {

constexpr float smallest_visible = 2;  // pixels; a cell of which less is in the frame has left it
constexpr int worker_niceness = 5;     // steps below the thread that made the detector

// Detection may keep every core busy; frames must pass all the same. On Linux niceness belongs to the thread,
// and the engine's own threads inherit it because this one starts them. Where it can't be lowered, detection
// still works.
void yield_to_streaming_threads() {
  setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + worker_niceness);
}

Box moved(const Box& box, float dx, float dy) {
  return {box.x_min + dx, box.y_min + dy, box.x_max + dx, box.y_max + dy};
}

Box clipped(const Box& box, const Frame& frame) {
  const auto width = static_cast<float>(frame.width), height = static_cast<float>(frame.height);
  return {std::clamp(box.x_min, 0.0F, width), std::clamp(box.y_min, 0.0F, height),
          std::clamp(box.x_max, 0.0F, width), std::clamp(box.y_max, 0.0F, height)};
}

}  // namespace

LiveDetector::LiveDetector(Detect detect) : detect_(std::move(detect)), worker_([this] { work(); }) {}

LiveDetector::~LiveDetector() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  worker_.join();
}

Findings LiveDetector::process(const Frame& frame) {
  const Shift shift = motion_.update(frame);
  position_.x += shift.x;
  position_.y += shift.y;
  ++number_;
  offer(frame);
  return carried(frame);
}

// Leaves the frame for the worker and takes the newest result.
void LiveDetector::offer(const Frame& frame) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
    if (has_waiting_) ++counts_.skipped;
    waiting_.frame.assign(frame);
    waiting_.number = number_;
    waiting_.position = position_;
    waiting_.epoch = epoch_;
    has_waiting_ = true;
    if (std::exchange(has_newest_, false)) std::swap(shown_, newest_);
  }
  wake_.notify_one();
}

Findings LiveDetector::carried(const Frame& frame) const {
  const auto dx = static_cast<float>(position_.x - shown_.position.x);
  const auto dy = static_cast<float>(position_.y - shown_.position.y);
  Findings now{{}, shown_.found.origin};
  now.origin.age = static_cast<unsigned>(number_ - shown_.number);
  for (const Cell& cell : shown_.found.cells) {
    const Box box = clipped(moved(cell.box, dx, dy), frame);
    if (box.x_max - box.x_min < smallest_visible || box.y_max - box.y_min < smallest_visible) continue;
    now.cells.push_back(cell);
    now.cells.back().box = box;
    now.cells.back().age = now.origin.age;
  }
  return now;
}

void LiveDetector::reset() {
  motion_.reset();
  position_ = {};
  shown_ = {};
  const std::lock_guard<std::mutex> lock(mutex_);
  if (std::exchange(has_waiting_, false)) ++counts_.skipped;
  has_newest_ = false;
  error_ = nullptr;
  ++epoch_;
}

LiveDetector::Counts LiveDetector::counts() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return counts_;
}

void LiveDetector::work() {
  pthread_setname_np(pthread_self(),
                     "live-detector");  // for debuggers; else it bears the streaming thread's name
  yield_to_streaming_threads();
  for (;;) {
    {
      std::unique_lock<std::mutex> lock(mutex_);
      wake_.wait(lock, [this] { return stop_ || has_waiting_; });
      if (stop_) return;
      std::swap(running_, waiting_);
      has_waiting_ = false;
    }
    Findings found;
    std::exception_ptr error;
    try {
      found = detect_(running_.frame.view());
    } catch (...) {
      error = std::current_exception();
    }
    finish(running_, std::move(found), error);
  }
}

void LiveDetector::finish(const Job& job, Findings found, std::exception_ptr error) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!error) ++counts_.detected;
  if (job.epoch != epoch_) return;
  if (error) {
    error_ = error;
    return;
  }
  newest_ = {std::move(found), job.number, job.position};
  has_newest_ = true;
}

}  // namespace smearscope
