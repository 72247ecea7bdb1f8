// How well a model's cells are counted once each on the synthetic smear, and what counting costs:
//   celltally_bench MODEL.safetensors [SECONDS]
// 640x480 frames; on each way of the stage SECONDS (20) of 10 frames/s with every frame detected, then a live
// stream of 30 frames/s with detection beside it. Prints for each class the cells that were wholly in view at
// least once and those that celltally counted, and how long a frame stayed in celltally. Only names of
// smeartestsrc's classes, or kinds of these families, are told apart.
#include <gst/gst.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "cell_meta.h"

namespace {

using Clock = std::chrono::steady_clock;

struct Run {
  std::map<std::string, std::set<guint64>> there;  // identities by class
  smearscope::Tally tally;
  std::vector<double> times_ms;
  Clock::time_point entered;
};

GstPadProbeReturn on_entry(GstPad*, GstPadProbeInfo*, gpointer data) {
  static_cast<Run*>(data)->entered = Clock::now();
  return GST_PAD_PROBE_OK;
}

GstPadProbeReturn on_exit(GstPad*, GstPadProbeInfo* info, gpointer data) {
  auto* run = static_cast<Run*>(data);
  run->times_ms.push_back(std::chrono::duration<double, std::milli>(Clock::now() - run->entered).count());
  GstBuffer* buffer = gst_pad_probe_info_get_buffer(info);
  for (const smearscope::TrueCell& cell : smearscope::read_true_cells(buffer)) {
    if (cell.visible == 1) run->there[cell.class_name].insert(cell.identity);
  }
  if (const auto tally = smearscope::read_tally(buffer)) run->tally = *tally;
  return GST_PAD_PROBE_OK;
}

void add_probe(GstElement* element, const char* pad_name, GstPadProbeCallback callback, Run& run) {
  GstPad* pad = gst_element_get_static_pad(element, pad_name);
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, callback, &run, nullptr);
  gst_object_unref(pad);
}

bool play(GstElement* pipeline) {
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  GstBus* bus = gst_element_get_bus(pipeline);
  GstMessage* end = gst_bus_timed_pop_filtered(
      bus, GST_CLOCK_TIME_NONE, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
  const bool well = GST_MESSAGE_TYPE(end) == GST_MESSAGE_EOS;
  if (!well) {
    GError* error = nullptr;
    gst_message_parse_error(end, &error, nullptr);
    std::fprintf(stderr, "%s\n", error->message);
    g_error_free(error);
  }
  gst_message_unref(end);
  gst_object_unref(bus);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  return well;
}

void print(const char* name, const Run& run) {
  std::map<std::string, guint64> counted;
  for (const auto& row : run.tally.rows) counted[row.family] += row.count;
  std::size_t there_sum = 0;
  guint64 counted_sum = 0;
  std::string by_class;
  for (const auto& [class_name, there] : run.there) {
    there_sum += there.size();
    counted_sum += counted[class_name];
    by_class +=
        "  " + class_name + " " + std::to_string(counted[class_name]) + "/" + std::to_string(there.size());
  }
  std::vector<double> times = run.times_ms;
  std::sort(times.begin(), times.end());
  std::printf(
      "%-32s counted %4llu of %4zu (%+5.1f %%)%s; %llu detections, %llu parts; %.2f ms a frame, p99 %.2f\n",
      name, static_cast<unsigned long long>(counted_sum), there_sum,
      100.0 *
          (static_cast<double>(counted_sum) / static_cast<double>(std::max<std::size_t>(there_sum, 1)) - 1),
      by_class.c_str(), static_cast<unsigned long long>(run.tally.detections),
      static_cast<unsigned long long>(run.tally.parts), times[times.size() / 2],
      times[times.size() * 99 / 100]);
  std::fflush(stdout);
}

bool measure(const std::string& model, const std::string& stage, int rate, int seconds, bool live) {
  const std::string text =
      "smeartestsrc " + stage + " num-buffers=" + std::to_string(rate * seconds) +
      (live ? " is-live=true" : "") +
      " ! video/x-raw,format=RGB,width=640,height=480,framerate=" + std::to_string(rate) +
      "/1 ! celldetect model=" + model +
      " ! celltally name=tally ! fakesink sync=" + (live ? "true" : "false");
  GError* error = nullptr;
  GstElement* pipeline = gst_parse_launch(text.c_str(), &error);
  if (error) {
    std::fprintf(stderr, "%s\n", error->message);
    return false;
  }
  Run run;
  GstElement* tally = gst_bin_get_by_name(GST_BIN(pipeline), "tally");
  add_probe(tally, "sink", on_entry, run);
  add_probe(tally, "src", on_exit, run);
  gst_object_unref(tally);
  const bool well = play(pipeline);
  gst_object_unref(pipeline);
  if (well) print((stage + (live ? " live" : "")).c_str(), run);
  return well;
}

}  // namespace

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  if (argc < 2) {
    std::fprintf(stderr, "usage: celltally_bench MODEL.safetensors [SECONDS]\n");
    return 2;
  }
  const int seconds = argc > 2 ? std::max(1, std::atoi(argv[2])) : 20;
  for (const char* path : {"pan", "stop-and-go", "return", "raster"}) {
    if (!measure(argv[1], std::string("stage-path=") + path, 10, seconds, false)) return 1;
  }
  return measure(argv[1], "stage-path=raster", 30, seconds, true) ? 0 : 1;
}
