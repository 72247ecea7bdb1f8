// celldetect says clearly, on the bus and at once, what it can't do.
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "cell_meta.h"
#include "element_harness.h"

namespace smearscope {
namespace {

using testing::Harness;
using testing::noise_frame;
using testing::raw_caps;
using testing::tiny_model_path;

struct Complaint {
  GQuark domain = 0;
  int code = 0;
  std::string text, debug;
};

// The first error on the bus, if one comes within `wait`.
Complaint complaint_of(GstBus* bus, GstClockTime wait) {
  Complaint complaint;
  GstMessage* message = gst_bus_timed_pop_filtered(bus, wait, GST_MESSAGE_ERROR);
  if (!message) return complaint;
  GError* error = nullptr;
  gchar* debug = nullptr;
  gst_message_parse_error(message, &error, &debug);
  complaint = {error->domain, error->code, error->message, debug ? debug : ""};
  g_error_free(error);
  g_free(debug);
  gst_message_unref(message);
  return complaint;
}

// What a pipeline says that is told to start, and must not.
Complaint refusal_of(const std::string& celldetect) {
  GstElement* pipeline = gst_parse_launch(
      ("videotestsrc num-buffers=2 ! video/x-raw,format=RGB,width=64,height=48 ! celldetect " + celldetect +
       " ! fakesink")
          .c_str(),
      nullptr);
  EXPECT_EQ(gst_element_set_state(pipeline, GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE) << celldetect;
  GstBus* bus = gst_element_get_bus(pipeline);
  const Complaint complaint = complaint_of(bus, 0);
  gst_object_unref(bus);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
  return complaint;
}

void expect_refusal(const std::string& celldetect, GQuark domain, int code, const std::string& words) {
  SCOPED_TRACE(celldetect);
  const Complaint complaint = refusal_of(celldetect);
  EXPECT_EQ(complaint.domain, domain) << complaint.text;
  EXPECT_EQ(complaint.code, code);
  EXPECT_NE(complaint.text.find(words), std::string::npos) << complaint.text;
  EXPECT_EQ(complaint.text.find('\n'), std::string::npos) << "one line: " << complaint.text;
  EXPECT_NE(complaint.debug.find("model="), std::string::npos) << complaint.debug;
}

// A model that isn't there is named before any frame flows.
TEST(CellDetectErrors, MissingModelIsNamed) {
  expect_refusal("model=/nowhere/cells.safetensors", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND,
                 "/nowhere/cells.safetensors");
  expect_refusal("model=no-such-model", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND, "no-such-model");
  expect_refusal("model=\"\"", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND, "");
}

// A file that is not a model is refused by the reader, which says why.
TEST(CellDetectErrors, BrokenModelIsRefused) {
  const testing::TemporaryFolder folder;
  const std::string file = folder.file("broken.safetensors");
  std::ofstream(file) << "this is no model";
  expect_refusal("model=" + file, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ, file);
}

// A device that isn't there, or is no device, is an error and never replaced by another.
TEST(CellDetectErrors, DeviceThatCannotBeHadIsAnError) {
  const std::string model = "model=" + tiny_model_path() + " ";
  expect_refusal(model + "device=tpu", GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS, "tpu");
  expect_refusal(model + "device=cuda:77", GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS, "cuda");
}

// The CPU engine has no 16-bit floating point, and does not pretend to.
TEST(CellDetectErrors, PrecisionThatTheDeviceLacksIsAnError) {
  expect_refusal("precision=f16 model=" + tiny_model_path(), GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
                 "f16");
}

// int8 needs activation ranges, and the model has none.
TEST(CellDetectErrors, PrecisionThatTheModelLacksIsAnError) {
  expect_refusal("precision=int8 model=" + tiny_model_path(), GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
                 "smearscope-train quantise");
}

// A class that the model lacks would silently find nothing.
TEST(CellDetectErrors, UnknownClassIsAnErrorThatListsThoseKnown) {
  expect_refusal("classes=wbc,basophil model=" + tiny_model_path(), GST_LIBRARY_ERROR,
                 GST_LIBRARY_ERROR_SETTINGS, "the model has no class 'basophil'; it has wbc, rbc, platelet");
}

// Also when it is asked for in mid-stream.
TEST(CellDetectErrors, UnknownClassWhilePlayingStopsTheStream) {
  Harness harness("celldetect mode=every model=" + tiny_model_path());
  GstBus* bus = gst_bus_new();
  gst_element_set_bus(harness.element(), bus);
  harness.caps(raw_caps("RGB", 64, 48));
  EXPECT_EQ(harness.push(noise_frame(raw_caps("RGB", 64, 48), 1)), GST_FLOW_OK);
  g_object_set(harness.element(), "classes", "basophil", nullptr);
  EXPECT_EQ(harness.push(noise_frame(raw_caps("RGB", 64, 48), 2)), GST_FLOW_ERROR);
  const Complaint complaint = complaint_of(bus, 0);
  EXPECT_EQ(complaint.domain, GST_LIBRARY_ERROR);
  EXPECT_NE(complaint.text.find("basophil"), std::string::npos);
  gst_element_set_bus(harness.element(), nullptr);
  gst_object_unref(bus);
}

// A buffer shorter than its caps promise is an error of the stream, not a read beyond its end.
TEST(CellDetectErrors, ShortBufferIsAStreamError) {
  Harness harness("celldetect mode=every model=" + tiny_model_path());
  GstBus* bus = gst_bus_new();
  gst_element_set_bus(harness.element(), bus);
  harness.caps(raw_caps("RGB", 64, 48));
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, 10, nullptr);
  gst_buffer_memset(buffer, 0, 0, 10);
  EXPECT_EQ(gst_harness_push(harness.get(), buffer), GST_FLOW_ERROR);
  const Complaint complaint = complaint_of(bus, 0);
  EXPECT_EQ(complaint.domain, GST_STREAM_ERROR);
  EXPECT_EQ(complaint.code, GST_STREAM_ERROR_FAILED);
  gst_element_set_bus(harness.element(), nullptr);
  gst_object_unref(bus);
}

// After a refused start the element can be given a good model, and starts.
TEST(CellDetectErrors, ElementRecoversFromARefusedStart) {
  GstElement* element = gst_element_factory_make("celldetect", nullptr);
  gst_object_ref_sink(element);
  g_object_set(element, "model", "/nowhere", nullptr);
  EXPECT_EQ(gst_element_set_state(element, GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  gst_element_set_state(element, GST_STATE_NULL);
  g_object_set(element, "model", tiny_model_path().c_str(), nullptr);
  EXPECT_NE(gst_element_set_state(element, GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  gst_element_set_state(element, GST_STATE_NULL);
  gst_object_unref(element);
}

}  // namespace
}  // namespace smearscope
