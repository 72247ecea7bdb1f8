// Frames in a GPU's memory (caps feature memory:CUDAMemory), which the engine reads where they are.
//
// A CUDA context is an address space. The engine uses each GPU's primary context, as all of CUDA's runtime
// does; elements of GStreamer's CUDA library (libgstcuda) use the one that a neighbour names when they ask,
// and make one of their own where nobody answers. So celldetect answers, with the primary context, and what
// its neighbours allocate lies where the engine can read it. A frame that comes from another context all the
// same is copied once, from device to device.
//
// libgstcuda is loaded when an engine on a GPU first needs it, and not linked: it brings GL and X11 with it,
// and the plugin must load where it is missing.
#pragma once

#include <gst/video/video.h>

#include <memory>

#include "smearscope/frame.h"

namespace smearscope {

// Of one stream, on the GPU of its engine. One thread at a time.
class CudaFrames {
 public:
  // Throws Error saying what is missing: CUDA memory in this build, libgstcuda, the driver.
  explicit CudaFrames(int device);
  ~CudaFrames();
  CudaFrames(const CudaFrames&) = delete;
  CudaFrames& operator=(const CudaFrames&) = delete;

  // Throws Error unless the buffer holds one frame in CUDA memory. Only then may it be mapped with map_flag
  // (a GstMapFlags, beside GST_MAP_READ), which gives pointers of the device; other memory would give the
  // host's.
  void check(GstBuffer* buffer) const;
  static const int map_flag;

  // Waits until the frame, mapped so, is written, and lets the planes of `view` lie in the engine's context:
  // where they are, or in a copy that is there until the next call. Throws Error if CUDA fails.
  void settle(GstBuffer* buffer, const GstVideoFrame& mapped, Frame& view);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// If `query` asks for a CUDA context, answers it with the one in which an engine on GPU `device` runs. False
// if it asks for something else, or there is none to be had. Any thread.
bool answer_cuda_context(GstElement* element, GstQuery* query, int device);

}  // namespace smearscope
