// smeartestsrc as an element: caps, timestamps, ground truth, live behaviour, properties, states.
#include <gst/check/gstharness.h>
#include <gst/video/video.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cell_meta.h"
#include "element_harness.h"

namespace smearscope {
namespace {

using testing::BufferPointer;

// The source before a sink pad that the test plays.
class SourceHarness {
 public:
  explicit SourceHarness(const std::string& properties, const std::string& caps = "") {
    harness_ = gst_harness_new_parse(("smeartestsrc name=smear " + properties).c_str());
    if (!caps.empty()) gst_harness_set_sink_caps_str(harness_, caps.c_str());
  }
  ~SourceHarness() { gst_harness_teardown(harness_); }
  SourceHarness(const SourceHarness&) = delete;
  SourceHarness& operator=(const SourceHarness&) = delete;

  GstHarness* get() { return harness_; }
  void play() { gst_harness_play(harness_); }
  BufferPointer pull() { return BufferPointer(gst_harness_pull(harness_)); }

  std::vector<BufferPointer> pull(int count) {
    play();
    std::vector<BufferPointer> buffers;
    for (int i = 0; i < count; ++i) buffers.push_back(pull());
    return buffers;
  }

 private:
  GstHarness* harness_;
};

constexpr const char* small_rgb = "video/x-raw,format=RGB,width=160,height=120,framerate=30/1";

std::string bytes_of(GstBuffer* buffer) {
  GstMapInfo map;
  if (!gst_buffer_map(buffer, &map, GST_MAP_READ)) return {};
  std::string bytes(reinterpret_cast<const char*>(map.data), map.size);
  gst_buffer_unmap(buffer, &map);
  return bytes;
}

// Two runs with the same seed give the same frames, bit for bit; another seed gives others.
TEST(SmearTestSrc, SameSeedSameFrames) {
  const auto frames_of = [](const char* properties) {
    SourceHarness source(properties, small_rgb);
    std::vector<std::string> frames;
    for (const auto& buffer : source.pull(4)) frames.push_back(bytes_of(buffer.get()));
    return frames;
  };
  EXPECT_EQ(frames_of("seed=5 focus-drift=1"), frames_of("seed=5 focus-drift=1"));
  EXPECT_NE(frames_of("seed=5"), frames_of("seed=6"));
}

// Timestamps and offsets count up without gaps, at any frame rate.
TEST(SmearTestSrc, TimestampsFollowTheFrameRate) {
  SourceHarness source("", "video/x-raw,format=RGB,width=32,height=24,framerate=30000/1001");
  const auto buffers = source.pull(40);
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    EXPECT_EQ(GST_BUFFER_PTS(buffers[i].get()), gst_util_uint64_scale(i, GST_SECOND * 1001, 30000));
    EXPECT_EQ(GST_BUFFER_OFFSET(buffers[i].get()), i);
    if (i > 0) {
      EXPECT_EQ(GST_BUFFER_PTS(buffers[i - 1].get()) + GST_BUFFER_DURATION(buffers[i - 1].get()),
                GST_BUFFER_PTS(buffers[i].get()));
    }
  }
}

// Left free, it is 640x480 at 30 frames a second.
TEST(SmearTestSrc, DefaultsAre640x480At30) {
  SourceHarness source("");
  source.pull(1);
  GstCaps* caps = gst_pad_get_current_caps(source.get()->sinkpad);
  GstVideoInfo info;
  ASSERT_TRUE(gst_video_info_from_caps(&info, caps));
  gst_caps_unref(caps);
  EXPECT_EQ(GST_VIDEO_INFO_WIDTH(&info), 640);
  EXPECT_EQ(GST_VIDEO_INFO_HEIGHT(&info), 480);
  EXPECT_EQ(GST_VIDEO_INFO_FPS_N(&info), 30 * GST_VIDEO_INFO_FPS_D(&info));
}

class Formats : public ::testing::TestWithParam<const char*> {};

// Mean of one component, 0..255.
double mean_of(GstVideoFrame& frame, int component) {
  double sum = 0;
  const int width = GST_VIDEO_FRAME_COMP_WIDTH(&frame, component),
            height = GST_VIDEO_FRAME_COMP_HEIGHT(&frame, component);
  for (int y = 0; y < height; ++y) {
    const auto* row = GST_VIDEO_FRAME_COMP_DATA(&frame, component) +
                      static_cast<std::ptrdiff_t>(y) * GST_VIDEO_FRAME_COMP_STRIDE(&frame, component);
    for (int x = 0; x < width; ++x) sum += row[x * GST_VIDEO_FRAME_COMP_PSTRIDE(&frame, component)];
  }
  return sum / (static_cast<double>(width) * height);
}

// Every format, at even and odd sizes, is the picture that RGB is: same mean colours, or the luma that
// follows from them.
TEST_P(Formats, ShowTheSamePicture) {
  for (auto [width, height] : {std::pair{160, 120}, {161, 121}, {1, 1}, {2, 7}}) {
    SCOPED_TRACE(std::to_string(width) + "x" + std::to_string(height));
    const auto run = [&, w = width, h = height](const char* format, auto use) {
      const std::string caps = testing::raw_caps(format, w, h);
      SourceHarness source("stage-path=still", caps);
      const auto buffers = source.pull(1);
      const GstVideoInfo info = testing::video_info(caps);
      GstVideoFrame frame;
      ASSERT_TRUE(gst_video_frame_map(&frame, &info, buffers[0].get(), GST_MAP_READ));
      use(frame);
      gst_video_frame_unmap(&frame);
    };
    double rgb[3] = {};
    run("RGB", [&](GstVideoFrame& frame) {
      for (int c = 0; c < 3; ++c) rgb[c] = mean_of(frame, c);
    });
    run(GetParam(), [&](GstVideoFrame& frame) {
      const GstVideoFormatInfo* format = frame.info.finfo;
      if (GST_VIDEO_FORMAT_INFO_IS_RGB(format)) {
        for (int c = 0; c < 3; ++c) EXPECT_DOUBLE_EQ(mean_of(frame, c), rgb[c]);
        if (GST_VIDEO_FORMAT_INFO_HAS_ALPHA(format)) {
          EXPECT_EQ(mean_of(frame, 3), 255);
        }
      } else {
        const double luma = 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];  // BT.601
        const bool full = frame.info.colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255;
        EXPECT_NEAR(mean_of(frame, 0), full ? luma : 16 + luma * 219 / 255, 2.5);
      }
    });
  }
}

INSTANTIATE_TEST_SUITE_P(All, Formats,
                         ::testing::Values("RGB", "BGR", "RGBx", "BGRx", "RGBA", "BGRA", "GRAY8", "I420",
                                           "NV12"),
                         [](const auto& info) { return std::string(info.param); });

// Formats that it does not make are refused.
TEST(SmearTestSrc, OtherCapsAreRefused) {
  SourceHarness source("");
  GstPad* pad = gst_element_get_static_pad(source.get()->element, "src");
  GstCaps* possible = gst_pad_query_caps(pad, nullptr);
  for (const char* text :
       {"video/x-raw,format=Y444", "video/x-raw,format=RGB,width=20000",
        "video/x-raw,format=RGB,interlace-mode=interleaved", "video/x-bayer", "image/jpeg"}) {
    GstCaps* caps = gst_caps_from_string(text);
    EXPECT_FALSE(gst_caps_can_intersect(possible, caps)) << text;
    gst_caps_unref(caps);
  }
  gst_caps_unref(possible);
  gst_object_unref(pad);
}

// Each frame carries its cells and its stage; boxes lie inside the frame, class names fit labels.
TEST(SmearTestSrc, GroundTruthIsAttached) {
  SourceHarness source("wbc-density=2000 platelet-density=3000",
                       "video/x-raw,format=NV12,width=640,height=480,framerate=30/1");
  std::map<std::string, int> counts;
  for (const auto& buffer : source.pull(3)) {
    for (const TrueCell& cell : read_true_cells(buffer.get())) {
      ++counts[cell.class_name];
      EXPECT_EQ(cell.class_name,
                (std::vector<std::string>{"wbc", "rbc", "platelet"}[static_cast<std::size_t>(cell.label)]));
      EXPECT_TRUE(cell.box.x_min >= 0 && cell.box.x_min < cell.box.x_max && cell.box.x_max <= 640);
      EXPECT_TRUE(cell.box.y_min >= 0 && cell.box.y_min < cell.box.y_max && cell.box.y_max <= 480);
      EXPECT_TRUE(cell.visible > 0 && cell.visible <= 1);
      EXPECT_NE(cell.identity, 0U);
    }
    ASSERT_TRUE(read_stage(buffer.get()));
    EXPECT_EQ(read_stage(buffer.get())->pixel_size_um, 0.073);
  }
  EXPECT_GT(counts["rbc"], 10);
  EXPECT_GT(counts["wbc"], 0);
  EXPECT_GT(counts["platelet"], 0);
}

TEST(SmearTestSrc, GroundTruthCanBeLeftOut) {
  SourceHarness source("ground-truth=false", small_rgb);
  const auto buffers = source.pull(1);
  EXPECT_TRUE(read_true_cells(buffers[0].get()).empty());
  EXPECT_FALSE(read_stage(buffers[0].get()));
}

// Cell by cell, slide position, stage and box agree; a cell keeps its identity and its place on the slide
// from frame to frame, and when the stage has gone away and come back.
TEST(SmearTestSrc, IdentitiesStayWithTheirCells) {
  constexpr double pixel = 0.1;
  SourceHarness source("stage-path=return stage-speed=60 pixel-size=0.1",
                       "video/x-raw,format=RGB,width=200,height=150,framerate=5/1");
  struct Place {
    double x, y;
  };
  std::map<guint64, Place> known;
  std::vector<std::vector<guint64>> at_home;
  double home_x = -1;
  bool was_away = false;
  for (const auto& buffer : source.pull(60)) {
    const StageState stage = *read_stage(buffer.get());
    if (home_x < 0) home_x = stage.x_um;
    std::vector<guint64> here;
    for (const TrueCell& cell : read_true_cells(buffer.get())) {
      here.push_back(cell.identity);
      const auto first = known.emplace(cell.identity, Place{cell.slide_x_um, cell.slide_y_um}).first->second;
      EXPECT_EQ(first.x, cell.slide_x_um);
      EXPECT_EQ(first.y, cell.slide_y_um);
      if (cell.visible == 1 && cell.class_name == "rbc") {
        EXPECT_NEAR((cell.box.x_min + cell.box.x_max) / 2, (cell.slide_x_um - stage.x_um) / pixel, 8);
        EXPECT_NEAR((cell.box.y_min + cell.box.y_max) / 2, (cell.slide_y_um - stage.y_um) / pixel, 8);
      }
    }
    was_away |= stage.x_um > home_x + 10;
    if (stage.x_um == home_x) at_home.push_back(here);
  }
  EXPECT_TRUE(was_away);
  ASSERT_GT(at_home.size(), 6U);
  for (const auto& here : at_home) EXPECT_EQ(here, at_home[0]);
}

// num-buffers frames, then the end.
TEST(SmearTestSrc, EndsAfterNumBuffers) {
  SourceHarness source("num-buffers=3", small_rgb);
  source.pull(3);
  GstEvent* last = nullptr;
  while (GstEvent* event = gst_harness_pull_event(source.get())) {
    const bool end = GST_EVENT_TYPE(event) == GST_EVENT_EOS;
    if (end)
      last = event;
    else
      gst_event_unref(event);
    if (end) break;
  }
  ASSERT_NE(last, nullptr);
  gst_event_unref(last);
  EXPECT_EQ(gst_harness_buffers_received(source.get()), 3U);
}

// Without a frame rate it is one picture.
TEST(SmearTestSrc, ZeroFrameRateIsOnePicture) {
  SourceHarness source("", "video/x-raw,format=RGB,width=64,height=48,framerate=0/1");
  const auto buffers = source.pull(1);
  EXPECT_EQ(GST_BUFFER_PTS(buffers[0].get()), 0U);
  EXPECT_FALSE(GST_BUFFER_DURATION_IS_VALID(buffers[0].get()));
  while (GstEvent* event = gst_harness_pull_event(source.get())) {
    const bool end = GST_EVENT_TYPE(event) == GST_EVENT_EOS;
    gst_event_unref(event);
    if (end) break;
  }
  EXPECT_EQ(gst_harness_buffers_received(source.get()), 1U);
}

// A seek goes to the frame of that time, which is the same frame as if one had watched until then.
TEST(SmearTestSrc, SeekFindsTheSameFrame) {
  SourceHarness watched("", small_rgb);
  const std::string expected = bytes_of(watched.pull(21).back().get());
  SourceHarness sought("", small_rgb);
  sought.pull(1);
  ASSERT_TRUE(gst_harness_push_upstream_event(
      sought.get(),
      gst_event_new_seek(1, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, GST_SEEK_TYPE_SET,
                         gst_util_uint64_scale(20, GST_SECOND, 30) + 1000, GST_SEEK_TYPE_NONE, 0)));
  BufferPointer frame;
  do frame = sought.pull();
  while (GST_BUFFER_OFFSET(frame.get()) != 20 && GST_BUFFER_OFFSET(frame.get()) < 40);
  EXPECT_EQ(bytes_of(frame.get()), expected);
}

// The stream goes on in time when the size changes under way.
TEST(SmearTestSrc, RenegotiatesUnderWay) {
  SourceHarness source("", small_rgb);
  source.pull(2);
  gst_harness_set_sink_caps_str(source.get(), "video/x-raw,format=I420,width=64,height=50,framerate=10/1");
  gst_harness_push_upstream_event(source.get(), gst_event_new_reconfigure());
  GstClockTime last = 0;
  BufferPointer buffer;
  int frames = 0;
  for (; frames < 200; ++frames) {
    buffer = source.pull();
    EXPECT_GE(GST_BUFFER_PTS(buffer.get()), last);
    last = GST_BUFFER_PTS(buffer.get());
    if (GST_BUFFER_DURATION(buffer.get()) == GST_SECOND / 10) break;
  }
  ASSERT_LT(frames, 200);
  EXPECT_EQ(gst_buffer_get_size(buffer.get()), GST_VIDEO_INFO_SIZE([] {
              static GstVideoInfo info = testing::video_info(testing::raw_caps("I420", 64, 50));
              return &info;
            }()));
}

// Live: no frame before its time on the clock; one frame time of latency is told.
TEST(SmearTestSrc, LiveFramesComeWithTheClock) {
  SourceHarness source("is-live=true", small_rgb);
  gst_harness_use_testclock(source.get());
  source.play();
  gst_harness_crank_single_clock_wait(source.get());
  BufferPointer first = source.pull();
  gst_harness_wait_for_clock_id_waits(source.get(), 1, 10);
  EXPECT_EQ(gst_harness_buffers_received(source.get()), 1U) << "the second frame must wait";
  for (int i = 0; i < 5; ++i) {
    gst_harness_crank_single_clock_wait(source.get());
    const BufferPointer buffer = source.pull();
    GstTestClock* clock = gst_harness_get_testclock(source.get());
    EXPECT_EQ(gst_clock_get_time(GST_CLOCK(clock)), GST_BUFFER_PTS(buffer.get()));
    gst_object_unref(clock);
  }
  EXPECT_EQ(gst_harness_query_latency(source.get()), GST_SECOND / 30);
}

// Live and held up: when the clock has run on, the frames of that time are left out, not sent late, and a
// message counts them.
TEST(SmearTestSrc, LiveLeavesOutLateFrames) {
  SourceHarness source("is-live=true", small_rgb);
  gst_harness_use_testclock(source.get());
  GstBus* bus = gst_bus_new();
  gst_element_set_bus(source.get()->element, bus);
  source.play();
  gst_harness_crank_single_clock_wait(source.get());
  source.pull();
  gst_harness_wait_for_clock_id_waits(source.get(), 1, 10);
  GstTestClock* clock = gst_harness_get_testclock(source.get());
  gst_test_clock_set_time(clock, 2 * GST_SECOND);
  gst_harness_crank_single_clock_wait(source.get());
  gst_object_unref(clock);
  const BufferPointer waiting = source.pull();  // was made before the clock jumped
  EXPECT_EQ(GST_BUFFER_OFFSET(waiting.get()), 1U);
  gst_harness_crank_single_clock_wait(source.get());
  const BufferPointer next = source.pull();
  EXPECT_GE(GST_BUFFER_PTS(next.get()) + 2 * GST_SECOND / 30, 2 * GST_SECOND);
  EXPECT_TRUE(GST_BUFFER_FLAG_IS_SET(next.get(), GST_BUFFER_FLAG_DISCONT));
  GstMessage* message = gst_bus_timed_pop_filtered(bus, 0, GST_MESSAGE_QOS);
  ASSERT_NE(message, nullptr);
  guint64 processed = 0, dropped = 0;
  GstFormat format = GST_FORMAT_UNDEFINED;
  gst_message_parse_qos_stats(message, &format, &processed, &dropped);
  EXPECT_EQ(processed, 2U);
  EXPECT_EQ(dropped, GST_BUFFER_OFFSET(next.get()) - 2);
  gst_message_unref(message);
  gst_element_set_bus(source.get()->element, nullptr);
  gst_object_unref(bus);
}

// A recording is neither live nor waited for.
TEST(SmearTestSrc, NotLiveDoesNotWait) {
  SourceHarness source("", small_rgb);
  gst_harness_use_testclock(source.get());
  EXPECT_EQ(source.pull(5).size(), 5U);  // the test clock never moves
}

// Focus can be turned while it plays.
TEST(SmearTestSrc, FocusCanBeTurnedWhilePlaying) {
  SourceHarness source("is-live=true", small_rgb);
  gst_harness_use_testclock(source.get());
  source.play();
  gst_harness_crank_single_clock_wait(source.get());
  EXPECT_EQ(read_stage(source.pull().get())->focus_um, 0);
  gst_harness_wait_for_clock_id_waits(source.get(), 1, 10);
  GstElement* smear = gst_bin_get_by_name(GST_BIN(source.get()->element), "smear");
  g_object_set(smear, "focus", 3.5, nullptr);
  gst_object_unref(smear);
  double focus = 0;
  for (int i = 0; i < 3; ++i) {
    gst_harness_crank_single_clock_wait(source.get());
    focus = read_stage(source.pull().get())->focus_um;
  }
  EXPECT_EQ(focus, 3.5);
}

// Every property reads back what was set, says what it means, and is kept in its range.
TEST(SmearTestSrc, PropertiesReadBackAndAreDocumented) {
  GstElement* element = gst_element_factory_make("smeartestsrc", nullptr);
  ASSERT_NE(element, nullptr);
  guint count = 0;
  GParamSpec** specs = g_object_class_list_properties(G_OBJECT_GET_CLASS(element), &count);
  int own = 0;
  for (guint i = 0; i < count; ++i) {
    if (specs[i]->owner_type != G_OBJECT_TYPE(element)) continue;
    ++own;
    EXPECT_GT(std::string(g_param_spec_get_blurb(specs[i])).size(), 15U) << specs[i]->name;
    GValue value = G_VALUE_INIT, back = G_VALUE_INIT;
    g_value_init(&value, specs[i]->value_type);
    g_value_init(&back, specs[i]->value_type);
    if (G_IS_PARAM_SPEC_DOUBLE(specs[i])) {
      const auto* range = G_PARAM_SPEC_DOUBLE(specs[i]);
      g_value_set_double(&value, (range->minimum + range->maximum) / 2);
    } else if (G_IS_PARAM_SPEC_ENUM(specs[i])) {
      g_value_set_enum(&value, 1);
    } else if (G_IS_PARAM_SPEC_BOOLEAN(specs[i])) {
      g_value_set_boolean(&value, TRUE);
    } else if (G_IS_PARAM_SPEC_UINT64(specs[i])) {
      g_value_set_uint64(&value, G_MAXUINT64);
    } else if (G_IS_PARAM_SPEC_UINT(specs[i])) {
      g_value_set_uint(&value, 17);
    } else {
      g_value_set_string(&value, "/nowhere/corpus");
    }
    g_object_set_property(G_OBJECT(element), specs[i]->name, &value);
    g_object_get_property(G_OBJECT(element), specs[i]->name, &back);
    EXPECT_EQ(g_param_values_cmp(specs[i], &value, &back), 0) << specs[i]->name;
    g_value_unset(&value);
    g_value_unset(&back);
  }
  EXPECT_GE(own, 20);
  g_free(specs);
  gst_object_unref(element);
}

// States up and down in odd orders, twice over, and dropped while it plays.
TEST(SmearTestSrc, StatesInAnyOrder) {
  GstElement* pipeline =
      gst_parse_launch("smeartestsrc ! video/x-raw,width=64,height=48 ! fakesink", nullptr);
  for (GstState state :
       {GST_STATE_READY, GST_STATE_PAUSED, GST_STATE_READY, GST_STATE_PLAYING, GST_STATE_PAUSED,
        GST_STATE_PLAYING, GST_STATE_NULL, GST_STATE_PLAYING, GST_STATE_READY, GST_STATE_NULL}) {
    ASSERT_NE(gst_element_set_state(pipeline, state), GST_STATE_CHANGE_FAILURE);
    ASSERT_NE(gst_element_get_state(pipeline, nullptr, nullptr, 10 * GST_SECOND), GST_STATE_CHANGE_FAILURE);
  }
  gst_object_unref(pipeline);
}

}  // namespace
}  // namespace smearscope
