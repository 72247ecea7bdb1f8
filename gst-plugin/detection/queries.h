// What celldetect asks its neighbours, and what it answers them.
#pragma once

#include <gst/gst.h>

#include "detection/settings.h"

namespace smearscope {

// Whether what is before this pad says that it is live.
bool source_is_live(GstPad* sink_pad);

// Lets the answer to a latency query grow by what the element itself needs.
void add_latency(GstQuery* query, GstClockTime own);

// Answers a neighbour's query for a CUDA context, as answer_cuda_context does, with that of the engine's GPU.
// Neighbours ask before the element has started, so the settings say which GPU that will be.
bool answer_cuda_context(GstElement* element, GstQuery* query, const DetectionSettings& settings);

}  // namespace smearscope
