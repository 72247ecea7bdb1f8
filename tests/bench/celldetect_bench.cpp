// What celldetect adds to the engine, and whether live stays live:
//   celldetect_bench [MODEL.safetensors [SECONDS]]
// Without MODEL a random ResNet-18 model that resizes frames to 480 pixels. Frames are 640x480 RGB. Prints:
//   every   wall-clock time per frame through the element beyond the engine's own time on that frame
//   latest  time that a frame spends in the element while detection runs beside it
//   live    with SECONDS: a live 30 frames/s source in front of the model, mode auto: lateness of frames at
//           the sink (running time on arrival beyond the frame's own), counts and memory; first the same
//           without celldetect
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "element_harness.h"

namespace {

using smearscope::testing::BufferPointer;
using smearscope::testing::Harness;
using smearscope::testing::noise_frame;
using smearscope::testing::raw_caps;

const std::string caps = raw_caps("RGB", 640, 480);

double now_ms() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

void report(const char* name, std::vector<double> times) {
  std::sort(times.begin(), times.end());
  std::printf("%-24s median %8.2f ms  p99 %8.2f ms  (%zu frames)\n", name, times[times.size() / 2],
              times[times.size() * 99 / 100], times.size());
}

void measure_every(const std::string& model) {
  Harness harness("celldetect mode=every model=" + model);
  harness.caps(caps);
  std::vector<double> engine, added;
  for (int i = -3; i < 40; ++i) {
    BufferPointer frame = noise_frame(caps, i + 3);
    const double start = now_ms();
    const BufferPointer out = harness.push_and_pull(std::move(frame));
    const double total = now_ms() - start;
    double detection = 0;
    g_object_get(harness.element(), "detection-time", &detection, nullptr);
    if (i < 0) continue;  // warm-up
    engine.push_back(detection);
    added.push_back(total - detection);
  }
  report("every: engine", engine);
  report("every: added by element", added);
}

void measure_latest(const std::string& model) {
  Harness harness("celldetect mode=latest model=" + model);
  harness.caps(caps);
  std::vector<double> passing;
  for (int i = 0; i < 150; ++i) {
    BufferPointer frame = noise_frame(caps, i);
    const double start = now_ms();
    const BufferPointer out = harness.push_and_pull(std::move(frame));
    passing.push_back(now_ms() - start);
    g_usleep(33000);
  }
  report("latest: in the element", passing);
}

double resident_mib() {
  long total = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return static_cast<double>(resident * sysconf(_SC_PAGESIZE)) / (1024.0 * 1024.0);
}

struct Live {
  std::vector<double> lateness_ms;
  double early_mib = 0;
};

GstPadProbeReturn note_arrival(GstPad* pad, GstPadProbeInfo* info, gpointer data) {
  auto& live = *static_cast<Live*>(data);
  GstElement* sink = gst_pad_get_parent_element(pad);
  if (GstClock* clock = gst_element_get_clock(sink)) {
    const auto running = static_cast<gint64>(gst_clock_get_time(clock) - gst_element_get_base_time(sink));
    live.lateness_ms.push_back(
        static_cast<double>(running - static_cast<gint64>(GST_BUFFER_PTS(GST_PAD_PROBE_INFO_BUFFER(info)))) /
        1e6);
    gst_object_unref(clock);
  }
  gst_object_unref(sink);
  if (live.lateness_ms.size() == 150) live.early_mib = resident_mib();
  return GST_PAD_PROBE_OK;
}

// `element`: celldetect and its properties, or one that does nothing, to compare with.
void measure_live(const std::string& element, int seconds) {
  const int frames = seconds * 30;
  const std::string description =
      "videotestsrc is-live=true pattern=ball num-buffers=" + std::to_string(frames) + " ! " + caps + " ! " +
      element + " name=element ! fakesink name=sink sync=true";
  GstElement* pipeline = gst_parse_launch(description.c_str(), nullptr);
  Live live;
  GstElement* sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
  GstPad* pad = gst_element_get_static_pad(sink, "sink");
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, note_arrival, &live, nullptr);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  GstBus* bus = gst_element_get_bus(pipeline);
  gst_message_unref(gst_bus_timed_pop_filtered(
      bus, GST_CLOCK_TIME_NONE, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
  const double late_mib = resident_mib();
  std::printf("live, %s: %zu of %d frames came\n", element.c_str(), live.lateness_ms.size(), frames);
  GstElement* detect = gst_bin_get_by_name(GST_BIN(pipeline), "element");
  if (g_object_class_find_property(G_OBJECT_GET_CLASS(detect), "frames-detected")) {
    guint64 detected = 0, skipped = 0;
    double detection_ms = 0;
    g_object_get(detect, "frames-detected", &detected, "frames-skipped", &skipped, "detection-time",
                 &detection_ms, nullptr);
    std::printf("  %g detected, %g skipped; detection takes %.0f ms\n", static_cast<double>(detected),
                static_cast<double>(skipped), detection_ms);
  }
  report("  lateness", live.lateness_ms);
  std::printf("  worst lateness %.1f ms; resident memory %.1f MiB after 5 s, %.1f MiB at the end\n",
              *std::max_element(live.lateness_ms.begin(), live.lateness_ms.end()), live.early_mib, late_mib);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  for (gpointer object :
       {static_cast<gpointer>(detect), static_cast<gpointer>(pad), static_cast<gpointer>(sink),
        static_cast<gpointer>(bus), static_cast<gpointer>(pipeline)}) {
    gst_object_unref(object);
  }
}

}  // namespace

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  const smearscope::testing::TemporaryFolder folder;
  std::string model = folder.file("random.safetensors");
  if (argc > 1) {
    model = argv[1];
  } else {
    smearscope::ModelInfo info = smearscope::testing::tiny_model_info();
    info.transform.min_side = 480;
    info.transform.max_side = 800;
    smearscope::testing::write_random_model(model, info, 1);
  }
  measure_every(model);
  measure_latest(model);
  if (argc > 2) {
    measure_live("identity", std::atoi(argv[2]));
    measure_live("celldetect model=" + model, std::atoi(argv[2]));
  }
}
