#include "detection/complaints.h"

namespace smearscope {

void post_complaint(GstElement* element, GstMessageType type, GQuark domain, gint code,
                    const std::string& text, const DetectionSettings& settings) {
  gst_element_message_full(
      element, type, domain, code, g_strdup(text.c_str()),
      g_strdup_printf("model=%s device=%s precision=%s threads=%d classes=%s", settings.model.c_str(),
                      settings.device.c_str(), name_of(settings.precision), settings.threads,
                      settings.selection.classes.c_str()),
      __FILE__, GST_FUNCTION, __LINE__);
}

void post_complaint(GstElement* element, GstMessageType type, LoadStep step, const std::string& text,
                    const DetectionSettings& settings) {
  switch (step) {
    case LoadStep::find:
      return post_complaint(element, type, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND, text, settings);
    case LoadStep::read:
      return post_complaint(element, type, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ, text, settings);
    case LoadStep::run:
      return post_complaint(element, type, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS, text, settings);
  }
}

}  // namespace smearscope
