// What went wrong, as messages on the bus: one line for a person, and the settings as the debug text.
#pragma once

#include <gst/gst.h>

#include <string>

#include "detection/model_loader.h"
#include "detection/settings.h"

namespace smearscope {

// `type` is GST_MESSAGE_ERROR or GST_MESSAGE_WARNING. Any thread, none of the element's locks held.
void post_complaint(GstElement* element, GstMessageType type, GQuark domain, gint code,
                    const std::string& text, const DetectionSettings& settings);

// Domain and code follow from the step of loading that failed.
void post_complaint(GstElement* element, GstMessageType type, LoadStep step, const std::string& text,
                    const DetectionSettings& settings);

}  // namespace smearscope
