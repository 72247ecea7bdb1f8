// The bin: detection and overlay in one element.
#include <gtest/gtest.h>

#include <cstring>
#include <set>

#include "cell_meta.h"
#include "element_harness.h"

namespace smearscope {
namespace {

using testing::BufferPointer;
using testing::Harness;
using testing::noise_frame;
using testing::raw_caps;
using testing::tiny_model_path;

bool same_pixels(GstBuffer* a, GstBuffer* b) {
  GstMapInfo map_a, map_b;
  gst_buffer_map(a, &map_a, GST_MAP_READ);
  gst_buffer_map(b, &map_b, GST_MAP_READ);
  const bool same = map_a.size == map_b.size && std::memcmp(map_a.data, map_b.data, map_a.size) == 0;
  gst_buffer_unmap(a, &map_a);
  gst_buffer_unmap(b, &map_b);
  return same;
}

// One word does all: cells are attached, counted and drawn.
TEST(Smearscope, FindsAndDraws) {
  const std::string caps = raw_caps("RGB", 160, 120);
  Harness harness("smearscope mode=every score-threshold=0 model=" + tiny_model_path());
  harness.caps(caps);
  const BufferPointer out = harness.push_and_pull(noise_frame(caps, 1));
  EXPECT_FALSE(read_cells(out.get()).empty());
  EXPECT_TRUE(read_tally(out.get()).has_value());
  EXPECT_FALSE(same_pixels(out.get(), noise_frame(caps, 1).get()));
  EXPECT_EQ(harness.count("frames-detected"), 1U);
}

// Drawing can be turned off, and then the picture is the one that came.
TEST(Smearscope, DrawsNothingWhenToldSo) {
  const std::string caps = raw_caps("RGB", 160, 120);
  Harness harness(
      "smearscope mode=every show-boxes=false show-labels=false show-scores=false show-counts=false "
      "show-scale=false show-warnings=false model=" +
      tiny_model_path());
  harness.caps(caps);
  const BufferPointer out = harness.push_and_pull(noise_frame(caps, 1));
  EXPECT_TRUE(same_pixels(out.get(), noise_frame(caps, 1).get()));
}

// So are signals.
TEST(Smearscope, BeginsANewSlide) {
  const std::string caps = raw_caps("RGB", 160, 120);
  Harness harness("smearscope mode=every score-threshold=0 model=" + tiny_model_path());
  harness.caps(caps);
  for (int i = 0; i < 2; ++i) harness.push_and_pull(noise_frame(caps, 1));
  g_signal_emit_by_name(harness.element(), "new-slide");
  EXPECT_EQ(harness.count("cells-counted"), 0U);
}

// Every property of the elements inside is one of the bin, of the same type and default, and reaches them.
TEST(Smearscope, HasThePropertiesOfItsStages) {
  GstElement* bin = gst_element_factory_make("smearscope", nullptr);
  gst_object_ref_sink(bin);
  for (const auto& [child_name, factory] :
       {std::pair("detect", "celldetect"), std::pair("tally", "celltally"),
        std::pair("overlay", "celloverlay")}) {
    GstElement* child = gst_bin_get_by_name(GST_BIN(bin), child_name);
    ASSERT_NE(child, nullptr);
    guint count = 0;
    GParamSpec** specs = g_object_class_list_properties(G_OBJECT_GET_CLASS(child), &count);
    for (guint i = 0; i < count; ++i) {
      if (specs[i]->owner_type != G_OBJECT_TYPE(child)) continue;
      GParamSpec* own = g_object_class_find_property(G_OBJECT_GET_CLASS(bin), specs[i]->name);
      ASSERT_NE(own, nullptr) << factory << "." << specs[i]->name;
      EXPECT_EQ(own->value_type, specs[i]->value_type);
      EXPECT_EQ(g_param_values_cmp(own, g_param_spec_get_default_value(own),
                                   g_param_spec_get_default_value(specs[i])),
                0)
          << specs[i]->name;
    }
    g_free(specs);
    gst_object_unref(child);
  }
  GstElement* detect = gst_bin_get_by_name(GST_BIN(bin), "detect");
  gdouble threshold = 0;
  g_object_set(bin, "score-threshold", 0.75, nullptr);
  g_object_get(detect, "score-threshold", &threshold, nullptr);
  EXPECT_EQ(threshold, 0.75);
  g_object_set(detect, "score-threshold", 0.5, nullptr);
  g_object_get(bin, "score-threshold", &threshold, nullptr);
  EXPECT_EQ(threshold, 0.5);
  gst_object_unref(detect);
  gst_object_unref(bin);
}

// An error inside comes out of the bin.
TEST(Smearscope, MissingModelIsAnErrorOfThePipeline) {
  GstElement* pipeline = gst_parse_launch("videotestsrc ! smearscope model=/nowhere ! fakesink", nullptr);
  EXPECT_EQ(gst_element_set_state(pipeline, GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  GstBus* bus = gst_element_get_bus(pipeline);
  GstMessage* message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);
  EXPECT_NE(message, nullptr);
  if (message) gst_message_unref(message);
  gst_object_unref(bus);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
}

}  // namespace
}  // namespace smearscope
