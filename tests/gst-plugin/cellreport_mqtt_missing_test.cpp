// cellreport in a build without libmosquitto.
#include <gtest/gtest.h>

#include "element_harness.h"

namespace smearscope {
namespace {

// What a build can't do is told before the stream starts.
TEST(CellReportMqtt, WithoutLibmosquittoABrokerIsAnError) {
  GstElement* element = gst_parse_launch("cellreport mqtt-broker=mqtt://localhost", nullptr);
  GstBus* bus = gst_bus_new();
  gst_element_set_bus(element, bus);
  EXPECT_EQ(gst_element_set_state(element, GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  GstMessage* message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);
  ASSERT_NE(message, nullptr);
  GError* error = nullptr;
  gst_message_parse_error(message, &error, nullptr);
  EXPECT_NE(std::string(error->message).find("this build can't publish"), std::string::npos)
      << error->message;
  g_error_free(error);
  gst_message_unref(message);
  gst_element_set_state(element, GST_STATE_NULL);
  gst_element_set_bus(element, nullptr);
  gst_object_unref(bus);
  gst_object_unref(element);
}

}  // namespace
}  // namespace smearscope
