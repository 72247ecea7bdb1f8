// Which memory frames may lie in: a GPU's too, where the engine runs on it.
#pragma once

#include <gst/gst.h>

#include <memory>
#include <mutex>
#include <string>

#include "detection/cuda_frames.h"
#include "smearscope/detector.h"

namespace smearscope {

// Of one element. narrow is for any thread, the others for one at a time.
class FrameMemory {
 public:
  // The engine runs on `device`, which is resolved. Where motion is measured between frames, in mode latest,
  // they must lie in the host's memory.
  void start(const Device& device, bool measures_motion);
  void stop();

  // Frames come with these caps from here on. Throws Error if their memory can't be read.
  void set_caps(const GstCaps* caps);
  // The reader of frames that come in CUDA memory, until stop; null if they come in the host's.
  CudaFrames* cuda_frames() const { return in_cuda_memory_ ? cuda_.get() : nullptr; }

  // Takes CUDA memory out of the base class's answer to a caps or accept-caps query at the pad in
  // `direction`, if it can't be taken. Before start all stays as it is, for the device may still be chosen.
  //
  // Returns what to tell the user, once per start, if upstream has CUDA memory alone to offer: negotiation is
  // about to fail, and it would fail without a word on the cause. Empty otherwise.
  std::string narrow(GstQuery* query, GstPadDirection direction);

 private:
  std::string refusal() const;

  std::unique_ptr<CudaFrames> cuda_;  // null: why_not_ says why
  bool in_cuda_memory_ = false;

  std::mutex mutex_;     // guards these
  std::string why_not_;  // CUDA memory can't be taken; empty: it can, or the element has not started
  bool told_ = false;
};

}  // namespace smearscope
