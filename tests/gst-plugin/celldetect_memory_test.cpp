// Which memory celldetect takes frames from, and what it says of the other: no GPU is needed for any of it.
#include <gtest/gtest.h>

#include "cell_meta.h"
#include "detection/cell_detector.h"
#include "detection/video_frame.h"
#include "element_harness.h"

namespace smearscope {
namespace {

using testing::Harness;
using testing::raw_caps;
using testing::tiny_model_path;

const std::string cuda_caps = "video/x-raw(memory:CUDAMemory),format=RGB,width=64,height=48,framerate=30/1";

bool offers_cuda(GstCaps* caps) {
  bool offers = false;
  for (guint i = 0; i < gst_caps_get_size(caps); ++i)
    offers |= gst_caps_features_contains(gst_caps_get_features(caps, i), SMEARSCOPE_CUDA_MEMORY) == TRUE;
  gst_caps_unref(caps);
  return offers;
}

bool pads_offer_cuda(GstElement* element) {
  bool offers = false;
  for (const char* name : {"sink", "src"}) {
    GstPad* pad = gst_element_get_static_pad(element, name);
    offers |= offers_cuda(gst_pad_query_caps(pad, nullptr));
    gst_object_unref(pad);
  }
  return offers;
}

std::vector<std::string> errors_on(GstBus* bus, GstClockTime wait) {
  std::vector<std::string> texts;
  while (GstMessage* message = gst_bus_timed_pop_filtered(bus, texts.empty() ? wait : 0, GST_MESSAGE_ERROR)) {
    GError* error = nullptr;
    gst_message_parse_error(message, &error, nullptr);
    texts.emplace_back(error->message);
    g_error_free(error);
    gst_message_unref(message);
  }
  return texts;
}

// The pad templates tell of both memories, in every build: gst-inspect-1.0 shows what the element can do.
TEST(CellDetectMemory, TemplatesListBoth) {
  GstElementFactory* factory = gst_element_factory_find("celldetect");
  ASSERT_TRUE(factory);
  for (const GList* item = gst_element_factory_get_static_pad_templates(factory); item; item = item->next) {
    auto* pad_template = static_cast<GstStaticPadTemplate*>(item->data);
    GstCaps* caps = gst_static_pad_template_get_caps(pad_template);
    EXPECT_TRUE(
        gst_caps_features_is_equal(gst_caps_get_features(caps, 0), GST_CAPS_FEATURES_MEMORY_SYSTEM_MEMORY));
    EXPECT_TRUE(offers_cuda(caps)) << pad_template->name_template;
  }
  gst_object_unref(factory);
}

// A model on the CPU reads the host's memory alone. Until the element starts the device may still be chosen.
TEST(CellDetectMemory, CpuNeverOffersCudaMemory) {
  GstElement* element = gst_element_factory_make("celldetect", nullptr);
  gst_object_ref_sink(element);
  g_object_set(element, "model", tiny_model_path().c_str(), "device", "cpu", nullptr);
  EXPECT_TRUE(pads_offer_cuda(element));
  ASSERT_NE(gst_element_set_state(element, GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  EXPECT_FALSE(pads_offer_cuda(element));
  gst_element_set_state(element, GST_STATE_NULL);
  EXPECT_TRUE(pads_offer_cuda(element));
  gst_object_unref(element);
}

// An upstream that can give nothing but CUDA memory gets an error that names the way out, before any other.
TEST(CellDetectMemory, UpstreamWithCudaMemoryAloneIsToldTheWayOut) {
  GstElement* pipeline =
      gst_parse_launch(("appsrc caps=\"" + cuda_caps +
                        "\" is-live=true ! celldetect model=" + tiny_model_path() + " ! fakesink")
                           .c_str(),
                       nullptr);
  GstBus* bus = gst_element_get_bus(pipeline);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  const std::vector<std::string> errors = errors_on(bus, 20 * GST_SECOND);
  ASSERT_FALSE(errors.empty());
  EXPECT_EQ(
      errors[0],
      "frames come in CUDA memory, and can't be taken so (the model runs on device cpu); put cudadownload "
      "before this element");
  gst_object_unref(bus);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
}

// The same for one that asks nothing and sends its caps at once; and the error comes once.
TEST(CellDetectMemory, CudaMemoryWithoutAskingIsRefusedOnce) {
  Harness harness("celldetect model=" + tiny_model_path());
  GstBus* bus = gst_bus_new();
  gst_element_set_bus(harness.element(), bus);
  GstCaps* caps = gst_caps_from_string(cuda_caps.c_str());
  for (int i = 0; i < 2; ++i) {
    gst_pad_push_event(harness.get()->srcpad, gst_event_new_caps(caps));
    EXPECT_EQ(harness.push(testing::noise_frame(raw_caps("RGB", 64, 48), i)), GST_FLOW_NOT_NEGOTIATED);
  }
  const std::vector<std::string> errors = errors_on(bus, 0);
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_NE(errors[0].find("put cudadownload before"), std::string::npos) << errors[0];
  gst_caps_unref(caps);
  gst_element_set_bus(harness.element(), nullptr);
  gst_object_unref(bus);
}

// Upstream that offers both memories finds the host's, and nothing is said.
TEST(CellDetectMemory, UpstreamWithBothFindsTheHosts) {
  Harness harness("celldetect mode=every model=" + tiny_model_path());
  GstBus* bus = gst_bus_new();
  gst_element_set_bus(harness.element(), bus);
  GstCaps* both = gst_caps_from_string((cuda_caps + ";" + raw_caps("RGB", 64, 48)).c_str());
  GstCaps* common = gst_pad_peer_query_caps(harness.get()->srcpad, both);
  EXPECT_FALSE(gst_caps_is_empty(common));
  EXPECT_FALSE(offers_cuda(common));
  gst_caps_unref(common);
  GstCaps* any = gst_caps_from_string("video/x-raw(ANY)");  // any memory, so the host's too
  common = gst_pad_peer_query_caps(harness.get()->srcpad, any);
  EXPECT_FALSE(gst_caps_is_empty(common));
  gst_caps_unref(any);
  EXPECT_TRUE(errors_on(bus, 0).empty());
  gst_caps_unref(common);
  gst_caps_unref(both);
  gst_element_set_bus(harness.element(), nullptr);
  gst_object_unref(bus);
}

// Who asks for a CUDA context gets none from an element that runs on the CPU.
TEST(CellDetectMemory, CpuAnswersNoCudaContext) {
  Harness harness("celldetect model=" + tiny_model_path());
  GstQuery* query = gst_query_new_context("gst.cuda.context");
  EXPECT_FALSE(gst_pad_peer_query(harness.get()->srcpad, query));
  gst_query_unref(query);
}

// In mode latest motion is measured on the host: a frame elsewhere is refused, and never read there.
TEST(CellDetectMemory, LatestRefusesFramesThatAreNotInHostMemory) {
  CellDetector detector(std::make_shared<Detector>(Model::load(tiny_model_path()), DetectorOptions{}), {});
  detector.go_live();
  Frame frame;
  frame.width = frame.height = 64;
  frame.memory = MemoryKind::cuda;
  try {
    detector.process(frame);
    ADD_FAILURE() << "taken";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("set mode=every"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace smearscope
