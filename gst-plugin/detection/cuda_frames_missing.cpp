// In a build without CUDA or GStreamer's CUDA library.
#include "detection/cuda_frames.h"
#include "smearscope/error.h"

namespace smearscope {

struct CudaFrames::State {};

const int CudaFrames::map_flag = 0;

CudaFrames::CudaFrames(int) {
  throw Error("this build has no CUDA memory (-Dgst_cuda)");
}
CudaFrames::~CudaFrames() = default;

// Nothing reaches these two: there is no object.
void CudaFrames::check(GstBuffer*) const {}
void CudaFrames::settle(GstBuffer*, const GstVideoFrame&, Frame&) {}

bool answer_cuda_context(GstElement*, GstQuery*, int) {
  return false;
}

}  // namespace smearscope
