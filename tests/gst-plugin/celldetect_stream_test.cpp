// celldetect in time: live and not, latency, flush, EOS, states, several pipelines, leaks.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <random>
#include <thread>

#include "cell_meta.h"
#include "element_harness.h"

namespace smearscope {
namespace {

using namespace std::chrono_literals;
using testing::BufferPointer;
using testing::Harness;
using testing::noise_frame;
using testing::raw_caps;
using testing::tiny_model_path;

const std::string caps = raw_caps("RGB", 64, 48);

std::string celldetect(const std::string& properties) {
  return "celldetect name=detect model=" + tiny_model_path() + " score-threshold=0 " + properties;
}

struct PipelineStop {
  void operator()(GstElement* pipeline) const {
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(pipeline);
  }
};
using Pipeline = std::unique_ptr<GstElement, PipelineStop>;

Pipeline pipeline_of(const std::string& description) {
  GError* error = nullptr;
  GstElement* pipeline = gst_parse_launch(description.c_str(), &error);
  EXPECT_EQ(error, nullptr) << error->message;
  return Pipeline(pipeline);
}

// Plays until the end; false on an error, which is reported.
bool play(GstElement* pipeline) {
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  GstBus* bus = gst_element_get_bus(pipeline);
  GstMessage* message = gst_bus_timed_pop_filtered(
      bus, 60 * GST_SECOND, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
  const bool ended = message && GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS;
  EXPECT_TRUE(ended) << (message ? "error" : "no end within a minute");
  if (message) gst_message_unref(message);
  gst_object_unref(bus);
  return ended;
}

std::uint64_t reading(GstElement* pipeline, const char* property) {
  GstElement* detect = gst_bin_get_by_name(GST_BIN(pipeline), "detect");
  guint64 value = 0;
  g_object_get(detect, property, &value, nullptr);
  gst_object_unref(detect);
  return value;
}

// What a sink pad sees of each frame.
struct Arrivals {
  std::vector<double> lateness_ms;  // running time on arrival, beyond the frame's own
  std::vector<unsigned> ages;       // of the first cell, where there is one
  std::vector<double> confidences;  // of all cells
};

GstPadProbeReturn note_arrival(GstPad* pad, GstPadProbeInfo* info, gpointer data) {
  auto& arrivals = *static_cast<Arrivals*>(data);
  GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
  GstElement* sink = gst_pad_get_parent_element(pad);
  if (GstClock* clock = gst_element_get_clock(sink)) {
    const auto now = static_cast<gint64>(gst_clock_get_time(clock) - gst_element_get_base_time(sink));
    arrivals.lateness_ms.push_back(static_cast<double>(now - static_cast<gint64>(GST_BUFFER_PTS(buffer))) /
                                   1e6);
    gst_object_unref(clock);
  }
  gst_object_unref(sink);
  const std::vector<Cell> cells = read_cells(buffer);
  if (!cells.empty()) arrivals.ages.push_back(cells[0].age);
  for (const Cell& cell : cells) arrivals.confidences.push_back(cell.confidence);
  return GST_PAD_PROBE_OK;
}

void watch(GstElement* pipeline, Arrivals& arrivals) {
  GstElement* sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
  GstPad* pad = gst_element_get_static_pad(sink, "sink");
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, note_arrival, &arrivals, nullptr);
  gst_object_unref(pad);
  gst_object_unref(sink);
}

// A file is played without haste: auto detects every frame, on the frame itself.
TEST(CellDetectStream, AutoDetectsEveryFrameOfAFile) {
  const Pipeline pipeline =
      pipeline_of("videotestsrc num-buffers=12 ! " + caps + " ! " + celldetect("") + " ! fakesink name=sink");
  Arrivals arrivals;
  watch(pipeline.get(), arrivals);
  ASSERT_TRUE(play(pipeline.get()));
  EXPECT_EQ(reading(pipeline.get(), "frames-detected"), 12U);
  EXPECT_EQ(reading(pipeline.get(), "frames-skipped"), 0U);
  EXPECT_EQ(arrivals.ages, std::vector<unsigned>(12, 0U));
}

// A camera does not wait: auto lets its frames pass, with cells of an earlier frame.
TEST(CellDetectStream, AutoTakesTheLatestFrameOfACamera) {
  const Pipeline pipeline = pipeline_of("videotestsrc is-live=true pattern=snow ! " + caps + " ! " +
                                        celldetect("") + " ! fakesink name=sink");
  Arrivals arrivals;
  watch(pipeline.get(), arrivals);
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  while (reading(pipeline.get(), "frames-detected") < 2) std::this_thread::sleep_for(5ms);
  std::this_thread::sleep_for(100ms);
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  ASSERT_FALSE(arrivals.ages.empty());
  for (const unsigned age : arrivals.ages) EXPECT_GE(age, 1U);
}

// Live means live: the device is much too slow for 30 frames/s, yet all frames come, most of them undetected:
// a stream that waited for it would skip none. How late they come is measured in
// tests/bench/celldetect_bench.
TEST(CellDetectStream, SlowDeviceDoesNotDelayALiveStream) {
  const testing::TemporaryFolder folder;
  ModelInfo slow = testing::tiny_model_info();
  slow.transform.min_side = 480;
  slow.transform.max_side = 800;
  testing::write_random_model(folder.file("slow.safetensors"), slow, 1);
  const Pipeline pipeline =
      pipeline_of("videotestsrc is-live=true num-buffers=240 ! " + raw_caps("RGB", 640, 480) +
                  " ! celldetect name=detect model=" + folder.file("slow.safetensors") +
                  " score-threshold=0 ! fakesink sync=true name=sink");
  Arrivals arrivals;
  watch(pipeline.get(), arrivals);
  ASSERT_TRUE(play(pipeline.get()));
  ASSERT_EQ(arrivals.lateness_ms.size(), 240U);
  const std::uint64_t detected = reading(pipeline.get(), "frames-detected");
  const std::uint64_t skipped = reading(pipeline.get(), "frames-skipped");
  EXPECT_GT(skipped, 45U);
  EXPECT_GE(detected + skipped, 238U);
}

GstClockTime least_latency(Harness& harness) {
  gst_harness_set_upstream_latency(harness.get(), 5 * GST_MSECOND);
  return gst_harness_query_latency(harness.get());
}

// Passing frames at once adds nothing to the latency of what is before.
TEST(CellDetectStream, LatestModeAddsNoLatency) {
  Harness harness(celldetect("mode=latest"));
  harness.caps(caps);
  harness.push_and_pull(noise_frame(caps, 1));
  EXPECT_EQ(least_latency(harness), 5 * GST_MSECOND);
}

// Waiting for each detection does, and the pipeline is told.
TEST(CellDetectStream, EveryModeAnswersItsDetectionTimeAsLatency) {
  Harness harness(celldetect("mode=every"));
  GstBus* bus = gst_bus_new();
  gst_element_set_bus(harness.element(), bus);
  harness.caps(caps);
  harness.push_and_pull(noise_frame(caps, 1));
  double detection_ms = 0;
  g_object_get(harness.element(), "detection-time", &detection_ms, nullptr);
  EXPECT_GE(least_latency(harness), 5 * GST_MSECOND + static_cast<GstClockTime>(detection_ms * 1e6));
  GstMessage* message = gst_bus_pop_filtered(bus, GST_MESSAGE_LATENCY);
  EXPECT_NE(message, nullptr);
  if (message) gst_message_unref(message);
  gst_element_set_bus(harness.element(), nullptr);
  gst_object_unref(bus);
}

void wait_for_a_detection(const Harness& harness) {
  while (harness.count("frames-detected") == 0) std::this_thread::sleep_for(1ms);
}

// After a flush (a seek) cells of the old position are gone.
TEST(CellDetectStream, FlushForgetsOldCells) {
  Harness harness(celldetect("mode=latest"));
  harness.caps(caps);
  harness.push_and_pull(noise_frame(caps, 1));
  wait_for_a_detection(harness);
  EXPECT_FALSE(read_cells(harness.push_and_pull(noise_frame(caps, 2)).get()).empty());
  EXPECT_TRUE(gst_harness_push_event(harness.get(), gst_event_new_flush_start()));
  EXPECT_TRUE(gst_harness_push_event(harness.get(), gst_event_new_flush_stop(TRUE)));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  EXPECT_TRUE(gst_harness_push_event(harness.get(), gst_event_new_segment(&segment)));
  EXPECT_TRUE(read_cells(harness.push_and_pull(noise_frame(caps, 3)).get()).empty());
}

// The end of the stream passes at once, in both modes; no frame is left that could take a late result.
TEST(CellDetectStream, EndOfStreamPassesAtOnce) {
  for (const char* mode : {"mode=every", "mode=latest"}) {
    Harness harness(celldetect(mode));
    harness.caps(caps);
    for (int i = 0; i < 3; ++i) harness.push_and_pull(noise_frame(caps, i));
    EXPECT_TRUE(gst_harness_push_event(harness.get(), gst_event_new_eos()));
    GstEvent* event = nullptr;
    bool ended = false;
    while ((event = gst_harness_try_pull_event(harness.get()))) {
      ended = ended || GST_EVENT_TYPE(event) == GST_EVENT_EOS;
      gst_event_unref(event);
    }
    EXPECT_TRUE(ended) << mode;
  }
}

// States change in any order, at any moment, in both modes, without a hang, a crash or an error.
TEST(CellDetectStream, StatesChangeInAnyOrder) {
  for (const std::string source : {"videotestsrc ! ", "videotestsrc is-live=true ! "}) {
    const Pipeline pipeline = pipeline_of(source + caps + " ! " + celldetect("") + " ! fakesink sync=true");
    std::mt19937 random(1);
    for (int i = 0; i < 25; ++i) {
      const std::array<GstState, 4> states{GST_STATE_NULL, GST_STATE_READY, GST_STATE_PAUSED,
                                           GST_STATE_PLAYING};
      gst_element_set_state(pipeline.get(), states[random() % states.size()]);
      if (random() % 2) std::this_thread::sleep_for(std::chrono::milliseconds(random() % 20));
    }
    gst_element_set_state(pipeline.get(), GST_STATE_NULL);
    GstBus* bus = gst_element_get_bus(pipeline.get());
    EXPECT_EQ(gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR), nullptr);
    gst_object_unref(bus);
  }
}

// Two streams of one process share an engine and take turns; each gets the cells that it gets alone.
TEST(CellDetectStream, TwoStreamsGiveWhatOneGives) {
  const std::string description =
      "videotestsrc pattern=snow num-buffers=10 ! " + caps + " ! " + celldetect("") + " ! fakesink name=sink";
  const auto cells_of = [&](std::size_t streams) {
    std::vector<Pipeline> pipelines;
    std::vector<Arrivals> arrivals(streams);
    for (auto& stream : arrivals) {
      pipelines.push_back(pipeline_of(description));
      watch(pipelines.back().get(), stream);
    }
    for (const Pipeline& pipeline : pipelines) gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
    for (const Pipeline& pipeline : pipelines) EXPECT_TRUE(play(pipeline.get()));
    return arrivals;
  };
  const std::vector<double> alone = cells_of(1)[0].confidences;
  ASSERT_GE(alone.size(), 10U);
  for (const Arrivals& stream : cells_of(2)) EXPECT_EQ(stream.confidences, alone);
}

// Text that a command prints, errors included.
std::string output_of(const std::string& command) {
  std::string text;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  std::array<char, 4096> part{};
  while (std::fgets(part.data(), static_cast<int>(part.size()), pipe)) text += part.data();
  pclose(pipe);
  return text;
}

// GStreamer's leaks tracer finds nothing left, after a file and after a camera.
TEST(CellDetectStream, LeaksNothing) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "gst-launch-1.0 can't load a plugin that a sanitizer is built into";
#endif
  const std::string launch = "GST_TRACERS=leaks GST_DEBUG=GST_TRACER:7 GST_DEBUG_NO_COLOR=1 gst-launch-1.0 ";
  if (output_of("gst-launch-1.0 --version").find("GStreamer") == std::string::npos) {
    GTEST_SKIP() << "gst-launch-1.0 is not installed";
  }
  ASSERT_NE(output_of(launch + "fakesrc num-buffers=1 ! fakesink").find("Execution ended"),
            std::string::npos);
  for (const std::string source :
       {"videotestsrc num-buffers=5 ! ", "videotestsrc is-live=true num-buffers=15 ! "}) {
    const std::string said = output_of(launch + source + caps + " ! " + celldetect("") + " ! fakesink");
    EXPECT_NE(said.find("Got EOS"), std::string::npos) << said;
    EXPECT_EQ(said.find(":: object-alive"), std::string::npos) << said;
  }
}

}  // namespace
}  // namespace smearscope
