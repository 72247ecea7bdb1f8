#include "detection/queries.h"

#include "detection/cuda_frames.h"
#include "smearscope/error.h"

namespace smearscope {

bool source_is_live(GstPad* sink_pad) {
  GstQuery* query = gst_query_new_latency();
  gboolean live = FALSE;
  if (gst_pad_peer_query(sink_pad, query)) gst_query_parse_latency(query, &live, nullptr, nullptr);
  gst_query_unref(query);
  return live;
}

void add_latency(GstQuery* query, GstClockTime own) {
  gboolean live;
  GstClockTime least, most;
  gst_query_parse_latency(query, &live, &least, &most);
  gst_query_set_latency(query, live, least + own, GST_CLOCK_TIME_IS_VALID(most) ? most + own : most);
}

bool answer_cuda_context(GstElement* element, GstQuery* query, const DetectionSettings& settings) {
  try {
    const Device device = resolve(engine_options(settings).device);
    return device.kind == Device::Kind::cuda && answer_cuda_context(element, query, device.index);
  } catch (const Error&) {
    return false;  // no device at all: start says so
  }
}

}  // namespace smearscope
