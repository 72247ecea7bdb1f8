#include "detection/frame_memory.h"

#include <utility>

#include "detection/video_frame.h"
#include "smearscope/error.h"

namespace smearscope {
namespace {

bool is_cuda(const GstCaps* caps, guint index) {
  const GstCapsFeatures* features = gst_caps_get_features(caps, index);
  // ANY contains everything, the host's memory too.
  return !gst_caps_features_is_any(features) && gst_caps_features_contains(features, SMEARSCOPE_CUDA_MEMORY);
}

bool nothing_but_cuda(const GstCaps* caps) {
  if (!caps || gst_caps_is_any(caps) || gst_caps_is_empty(caps)) return false;
  for (guint i = 0; i < gst_caps_get_size(caps); ++i) {
    if (!is_cuda(caps, i)) return false;
  }
  return true;
}

void remove_cuda(GstQuery* query) {
  GstCaps* answer = nullptr;
  gst_query_parse_caps_result(query, &answer);
  if (!answer || gst_caps_is_any(answer)) return;
  GstCaps* rest = gst_caps_copy(answer);
  for (guint i = gst_caps_get_size(rest); i-- > 0;) {
    if (is_cuda(rest, i)) gst_caps_remove_structure(rest, i);
  }
  gst_query_set_caps_result(query, rest);
  gst_caps_unref(rest);
}

// What upstream has to offer.
GstCaps* offer_of(GstQuery* query) {
  GstCaps* offer = nullptr;
  if (GST_QUERY_TYPE(query) == GST_QUERY_CAPS)
    gst_query_parse_caps(query, &offer);
  else
    gst_query_parse_accept_caps(query, &offer);
  return offer;
}

}  // namespace

void FrameMemory::start(const Device& device, bool measures_motion) {
  std::string why_not;
  if (device.kind == Device::Kind::cuda && measures_motion) {
    why_not = "mode latest measures motion in host memory";
  } else if (device.kind == Device::Kind::cuda) {
    try {
      cuda_ = std::make_unique<CudaFrames>(device.index);
    } catch (const Error& error) {
      why_not = error.what();
    }
  } else {
    why_not = "the model runs on device " + device.to_string();
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  why_not_ = std::move(why_not);
  told_ = false;
}

void FrameMemory::stop() {
  cuda_.reset();
  in_cuda_memory_ = false;
  const std::lock_guard<std::mutex> lock(mutex_);
  why_not_.clear();
}

void FrameMemory::set_caps(const GstCaps* caps) {
  in_cuda_memory_ = nothing_but_cuda(caps);
  if (!in_cuda_memory_ || cuda_) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  throw Error(refusal());
}

std::string FrameMemory::narrow(GstQuery* query, GstPadDirection direction) {
  const bool is_caps = GST_QUERY_TYPE(query) == GST_QUERY_CAPS;
  if (!is_caps && GST_QUERY_TYPE(query) != GST_QUERY_ACCEPT_CAPS) return "";
  const std::lock_guard<std::mutex> lock(mutex_);
  if (why_not_.empty()) return "";
  const bool only_cuda = nothing_but_cuda(offer_of(query));
  if (is_caps)
    remove_cuda(query);
  else if (only_cuda)
    gst_query_set_accept_caps_result(query, FALSE);
  if (!only_cuda || direction != GST_PAD_SINK || std::exchange(told_, true)) return "";
  return refusal();
}

std::string FrameMemory::refusal() const {
  return "frames come in CUDA memory, and can't be taken so (" + why_not_ +
         "); put cudadownload before this element";
}

}  // namespace smearscope
