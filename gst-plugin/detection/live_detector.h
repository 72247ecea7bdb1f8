// Detection beside a live stream: frames pass at once, and boxes follow the picture until the next result
// comes.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "cell_meta.h"
#include "detection/frame_copy.h"
#include "detection/motion.h"

namespace smearscope {

// Cells, and the detection that they come from.
struct Findings {
  std::vector<Cell> cells;
  DetectionOrigin origin{};  // without a digest: there was no detection yet
};

// One worker thread always takes the newest frame. Memory is bounded by two copied frames: the one being
// detected and the newest one that waits; a newer one replaces the one that waits.
//
// process and reset are for one thread at a time (the streaming thread) and never wait for a detection;
// counts may be called from any thread.
class LiveDetector {
 public:
  // Called on the worker thread alone. Boxes in pixels of the frame.
  using Detect = std::function<Findings(const Frame&)>;

  struct Counts {
    std::uint64_t detected = 0;  // frames whose detection ended
    std::uint64_t skipped =
        0;  // frames that a newer one replaced, or a reset threw away, before detection began
  };

  explicit LiveDetector(Detect detect);
  ~LiveDetector();  // waits for the detection that runs, if any
  LiveDetector(const LiveDetector&) = delete;
  LiveDetector& operator=(const LiveDetector&) = delete;

  // The cells of the newest result so far, moved by the stage's motion since the frame they were found on,
  // clipped to this frame; those that left it are gone. Throws what `detect` threw on the worker, once.
  Findings process(const Frame& frame);

  // Forgets frames, results and motion: the next frame belongs to another stream (seek, new size).
  void reset();

  Counts counts() const;

 private:
  // A frame and what is needed to carry its cells to a later one.
  struct Job {
    FrameCopy frame;
    std::uint64_t number = 0;  // of the frame
    Shift position;            // of the picture at that frame: the sum of all shifts before
    std::uint64_t epoch = 0;   // changed by reset: an older result is of no use
  };
  struct Result {
    Findings found;
    std::uint64_t number = 0;
    Shift position;
  };

  void work();
  void finish(const Job& job, Findings found, std::exception_ptr error);
  void offer(const Frame& frame);
  Findings carried(const Frame& frame) const;

  const Detect detect_;

  // Streaming thread alone.
  MotionEstimator motion_;
  Shift position_;
  std::uint64_t number_ = 0;
  Result shown_;

  // Worker alone.
  Job running_;

  mutable std::mutex mutex_;  // guards all below
  std::condition_variable wake_;
  Job waiting_;
  bool has_waiting_ = false;
  Result newest_;
  bool has_newest_ = false;
  std::exception_ptr error_;
  std::uint64_t epoch_ = 0;
  Counts counts_;
  bool stop_ = false;

  std::thread worker_;  // last: starts when all else is there
};

}  // namespace smearscope
