// GstHarness, buses and buffers with owners, and the tiny model that element tests run.
#pragma once

#include <gst/check/gstharness.h>
#include <gst/video/video.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "temporary_folder.h"
#include "tiny_model.h"

namespace smearscope::testing {

struct BufferUnref {
  void operator()(GstBuffer* buffer) const { gst_buffer_unref(buffer); }
};
using BufferPointer = std::unique_ptr<GstBuffer, BufferUnref>;

// A random model in its own folder, written once per test program.
inline const std::string& tiny_model_path() {
  static const TemporaryFolder folder;
  static const std::string path = [] {
    const std::string file = folder.file("tiny.safetensors");
    write_random_model(file, tiny_model_info(), 1);
    return file;
  }();
  return path;
}

inline std::string raw_caps(const std::string& format, int width, int height) {
  return "video/x-raw,format=" + format + ",width=" + std::to_string(width) +
         ",height=" + std::to_string(height) + ",framerate=30/1";
}

inline GstVideoInfo video_info(const std::string& caps_text) {
  GstCaps* caps = gst_caps_from_string(caps_text.c_str());
  GstVideoInfo info;
  gst_video_info_from_caps(&info, caps);
  gst_caps_unref(caps);
  return info;
}

// A frame of reproducible noise, number `number` of a 30 frames/s stream.
inline BufferPointer noise_frame(const std::string& caps_text, int number) {
  const GstVideoInfo info = video_info(caps_text);
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&info), nullptr);
  GstMapInfo map;
  gst_buffer_map(buffer, &map, GST_MAP_WRITE);
  std::uint32_t state = static_cast<std::uint32_t>(number) * 2654435761U + 1;
  for (gsize i = 0; i < map.size; ++i) {
    state = state * 1664525U + 1013904223U;
    map.data[i] = static_cast<guint8>(state >> 24U);
  }
  gst_buffer_unmap(buffer, &map);
  GST_BUFFER_PTS(buffer) = gst_util_uint64_scale(static_cast<guint64>(number), GST_SECOND, 30);
  GST_BUFFER_DURATION(buffer) = GST_SECOND / 30;
  return BufferPointer(buffer);
}

// An element of its own between a source and a sink pad that the test plays.
class Harness {
 public:
  // `description`: the element and its properties, as for gst-launch. The harness says that its source is
  // live.
  explicit Harness(const std::string& description) {
    element_ = gst_parse_launch(description.c_str(), nullptr);
    gst_object_ref_sink(element_);
    harness_ = gst_harness_new_with_element(element_, "sink", "src");
  }
  ~Harness() {
    gst_harness_teardown(harness_);
    gst_object_unref(element_);
  }
  Harness(const Harness&) = delete;
  Harness& operator=(const Harness&) = delete;

  void caps(const std::string& text) { gst_harness_set_src_caps_str(harness_, text.c_str()); }
  GstFlowReturn push(BufferPointer buffer) { return gst_harness_push(harness_, buffer.release()); }
  BufferPointer pull() { return BufferPointer(gst_harness_pull(harness_)); }
  BufferPointer push_and_pull(BufferPointer buffer) {
    return BufferPointer(gst_harness_push_and_pull(harness_, buffer.release()));
  }
  GstHarness* get() const { return harness_; }
  GstElement* element() const { return element_; }

  std::uint64_t count(const char* property) const {
    guint64 value = 0;
    g_object_get(element_, property, &value, nullptr);
    return value;
  }

 private:
  GstElement* element_;
  GstHarness* harness_;
};

// A bus of its own for an element that is in no pipeline.
class Bus {
 public:
  explicit Bus(GstElement* element) : bus_(gst_bus_new()) { gst_element_set_bus(element, bus_); }
  ~Bus() { gst_object_unref(bus_); }
  Bus(const Bus&) = delete;
  Bus& operator=(const Bus&) = delete;
  operator GstBus*() const { return bus_; }

 private:
  GstBus* bus_;
};

}  // namespace smearscope::testing
