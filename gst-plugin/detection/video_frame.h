// GStreamer's video frames as the engine's frame views.
#pragma once

#include <gst/video/video.h>

#include "detection/cuda_frames.h"
#include "smearscope/frame.h"

namespace smearscope {

// The raw video that the engine reads, as a list for caps. The fourth byte of the four-byte formats is
// ignored.
#define SMEARSCOPE_FRAME_FORMATS "{ RGB, BGR, RGBA, RGBx, BGRA, BGRx, GRAY8, NV12, I420 }"
// The same in a GPU's memory; GStreamer has no grey there.
#define SMEARSCOPE_CUDA_MEMORY "memory:CUDAMemory"
#define SMEARSCOPE_CUDA_FRAME_FORMATS "{ RGB, BGR, RGBA, RGBx, BGRA, BGRx, NV12, I420 }"

// A buffer mapped for reading while this lives. Any stride, offset and padding that the buffer's GstVideoMeta
// tells.
class MappedFrame {
 public:
  // With `cuda` the buffer lies in CUDA memory, and so does the view; one at a time, for it may be a copy
  // that `cuda` keeps. Throws Error if the buffer can't be mapped as `info` says, or `info` is of another
  // format than the list's.
  MappedFrame(GstBuffer* buffer, const GstVideoInfo& info, CudaFrames* cuda = nullptr);
  ~MappedFrame();
  MappedFrame(const MappedFrame&) = delete;
  MappedFrame& operator=(const MappedFrame&) = delete;

  const Frame& view() const { return view_; }

 private:
  GstVideoFrame frame_;
  Frame view_;
};

// Matrix and range of the caps' colorimetry. BT.709 where the caps say so, BT.2020 taken for it (the nearest
// that the engine has); BT.601 for all others.
YuvColor yuv_color(const GstVideoInfo& info);

}  // namespace smearscope
