#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "cell_meta.h"
#include "element_harness.h"
#include "smear_camera.h"
#include "temporary_folder.h"

namespace smearscope {
namespace {

using testing::BufferPointer;
using testing::Bus;
using testing::Harness;
using testing::noise_frame;
using testing::raw_caps;

Cell cell(float x, float y, const std::string& name = "rbc", int label = 1, const std::string& family = "") {
  return {{x, y, x + 40, y + 40}, 0.9, label, name, 0, family};
}

// The same picture each time, with these cells.
BufferPointer frame(const std::string& caps, int number, const std::vector<Cell>& cells, unsigned age = 0) {
  BufferPointer buffer = noise_frame(caps, 1);
  GST_BUFFER_PTS(buffer.get()) = gst_util_uint64_scale(static_cast<guint64>(number), GST_SECOND, 30);
  attach_cells(buffer.get(), cells);
  attach_origin(buffer.get(), {"abc", age});
  return buffer;
}

// Element messages since the last call.
std::vector<Tally> told(GstBus* bus, std::vector<bool>* reached = nullptr) {
  std::vector<Tally> tallies;
  while (GstMessage* message = gst_bus_pop_filtered(bus, GST_MESSAGE_ELEMENT)) {
    const GstStructure* structure = gst_message_get_structure(message);
    EXPECT_TRUE(gst_structure_has_name(structure, "cell-tally"));
    const std::optional<Tally> tally = get_tally(structure);
    EXPECT_TRUE(tally.has_value());
    if (tally) tallies.push_back(*tally);
    gboolean is_reached = FALSE;
    EXPECT_TRUE(gst_structure_get_boolean(structure, "target_reached", &is_reached));
    if (reached) reached->push_back(is_reached);
    gst_message_unref(message);
  }
  return tallies;
}

// A pixel size that is given is no estimate; what the picture is like is told, and told when it changes.
TEST(CellTallyElement, TellsScaleAndView) {
  Harness tally("celltally");
  const Bus bus(tally.element());
  const std::string caps = raw_caps("GRAY8", 320, 240);
  tally.caps(caps);
  const auto push = [&](int number, std::uint8_t level) {
    BufferPointer buffer = frame(caps, number, {});
    gst_buffer_memset(buffer.get(), 0, level, gst_buffer_get_size(buffer.get()));
    return read_tally(tally.push_and_pull(std::move(buffer)).get()).value();
  };
  EXPECT_EQ(push(0, 200).pixel_size_um, 0);
  g_object_set(tally.element(), "pixel-size", 0.07, nullptr);
  EXPECT_EQ(push(1, 200).pixel_size_um, 0.07);
  EXPECT_TRUE(push(2, 200).calibrated);
  EXPECT_TRUE(told(bus).empty()) << "nothing has changed";
  for (int i = 3; i < 60; ++i) push(i, 20);
  const std::vector<Tally> messages = told(bus);
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].view, View::too_dark);
  EXPECT_EQ(messages[0].pixel_size_um, 0.07);
}

// Where the pixel size is given, and the model tells which red cells it knows, the wrong objective is told;
// darkness first.
TEST(CellTallyElement, TellsCellsThatTheModelDoesNotKnow) {
  Harness tally("celltally");
  const Bus bus(tally.element());
  const std::string caps = raw_caps("GRAY8", 320, 240);
  tally.caps(caps);
  int number = 0;
  const auto view = [&](double pixel_size, std::uint8_t level = 200) {
    g_object_set(tally.element(), "pixel-size", pixel_size, nullptr);
    for (int i = 0; i < 60; ++i) {
      BufferPointer buffer = noise_frame(caps, 1);
      GST_BUFFER_PTS(buffer.get()) = gst_util_uint64_scale(static_cast<guint64>(number++), GST_SECOND, 30);
      attach_origin(buffer.get(), {"abc", 0, 0.125, 0.25});  // 30 to 60 of 240 pixels
      gst_buffer_memset(buffer.get(), 0, level, gst_buffer_get_size(buffer.get()));
      const Tally seen = read_tally(tally.push_and_pull(std::move(buffer)).get()).value();
      if (i == 59) return seen.view;
    }
    return View::good;
  };
  EXPECT_EQ(view(0), View::good);
  EXPECT_EQ(view(7.5 / 45), View::good);
  EXPECT_EQ(view(7.5 / 20), View::cells_too_small);
  const std::vector<Tally> messages = told(bus);
  ASSERT_FALSE(messages.empty());
  EXPECT_EQ(messages.back().view, View::cells_too_small);
  EXPECT_EQ(messages.back().frame_view, View::good);
  EXPECT_EQ(view(7.5 / 90), View::cells_too_large);
  EXPECT_EQ(view(7.5 / 90, 20), View::too_dark);
}

// Each frame carries what was counted so far and each cell its identity, in every format.
TEST(CellTallyElement, AttachesCountsAndIdentities) {
  for (const char* format : {"RGB", "BGR", "RGBA", "RGBx", "BGRA", "BGRx", "GRAY8", "NV12", "I420"}) {
    SCOPED_TRACE(format);
    Harness tally("celltally");
    const std::string caps = raw_caps(format, 321, 243);
    tally.caps(caps);
    tally.push_and_pull(frame(caps, 0, {cell(50, 50), cell(150, 50, "neutrophil", 3, "wbc")}));
    const BufferPointer out = tally.push_and_pull(
        frame(caps, 1, {cell(150, 50, "neutrophil", 3, "wbc"), cell(50, 50), cell(200, 150)}));
    const std::vector<Cell> cells = read_cells(out.get());
    ASSERT_EQ(cells.size(), 3U);
    EXPECT_EQ(cells[0].identity, 2U);
    EXPECT_EQ(cells[0].family, "wbc");
    EXPECT_EQ(cells[1].identity, 1U);
    EXPECT_EQ(cells[2].identity, 3U);
    const std::optional<Tally> counts = read_tally(out.get());
    ASSERT_TRUE(counts.has_value());
    ASSERT_EQ(counts->rows.size(), 2U);
    EXPECT_EQ(counts->rows[0].class_name, "rbc");
    EXPECT_EQ(counts->rows[0].family, "rbc");
    EXPECT_EQ(counts->rows[0].count, 2U);
    EXPECT_EQ(counts->rows[1].class_name, "neutrophil");
    EXPECT_EQ(counts->rows[1].family, "wbc");
    EXPECT_EQ(tally.count("cells-counted"), 3U);
  }
}

// Pixels pass untouched, and a frame that someone else holds too is not copied.
TEST(CellTallyElement, PixelsPassUntouched) {
  Harness tally("celltally");
  const std::string caps = raw_caps("RGB", 320, 240);
  tally.caps(caps);
  BufferPointer in = frame(caps, 0, {cell(50, 50)});
  GstMemory* memory = gst_buffer_peek_memory(in.get(), 0);
  GstBuffer* held = gst_buffer_ref(in.get());
  const BufferPointer out = tally.push_and_pull(std::move(in));
  EXPECT_EQ(gst_buffer_peek_memory(out.get(), 0), memory);
  EXPECT_FALSE(read_tally(held).has_value()) << "the others' frame stays as it was";
  EXPECT_EQ(read_cells(held)[0].identity, 0U);
  gst_buffer_unref(held);
}

// A message while counts change, once per interval of the stream's time, and one at the end.
TEST(CellTallyElement, TellsWhatItCounts) {
  Harness tally("celltally message-interval=200000000");  // 6 frames
  const Bus bus(tally.element());
  const std::string caps = raw_caps("GRAY8", 640, 480);
  tally.caps(caps);
  std::vector<Cell> cells;
  for (int i = 0; i < 13; ++i) {
    if (i != 12) cells.push_back(cell(static_cast<float>(45 * i + 10), 100));
    tally.push_and_pull(frame(caps, i, cells));
  }
  const std::vector<Tally> first = told(bus);
  ASSERT_EQ(first.size(), 3U);
  EXPECT_EQ(first[0].rows.at(0).count, 1U);
  EXPECT_EQ(first[1].rows.at(0).count, 7U);
  EXPECT_EQ(first[2].rows.at(0).count, 12U);
  for (int i = 13; i < 30; ++i) tally.push_and_pull(frame(caps, i, cells));
  EXPECT_TRUE(told(bus).empty()) << "nothing has changed";
  gst_harness_push_event(tally.get(), gst_event_new_eos());
  EXPECT_EQ(told(bus).size(), 1U);
}

// The message that tells of a reached target comes at once; a family stands for its kinds.
TEST(CellTallyElement, TellsWhenTheTargetIsReached) {
  Harness tally("celltally target=3 message-interval=0");
  const Bus bus(tally.element());
  const std::string caps = raw_caps("GRAY8", 640, 480);
  tally.caps(caps);
  std::vector<Cell> cells{cell(10, 10), cell(60, 10, "wbc", 0, "wbc")};
  tally.push_and_pull(frame(caps, 0, cells));
  cells.push_back(cell(110, 10, "lymphocyte", 2, "wbc"));
  tally.push_and_pull(frame(caps, 1, cells));
  EXPECT_TRUE(told(bus).empty());
  cells.push_back(cell(160, 10, "segmented_neutrophil", 4, "wbc"));
  const BufferPointer out = tally.push_and_pull(frame(caps, 2, cells));
  EXPECT_EQ(read_tally(out.get())->target, 3U);
  EXPECT_EQ(read_tally(out.get())->target_count, 3U);
  std::vector<bool> reached;
  ASSERT_EQ(told(bus, &reached).size(), 1U);
  EXPECT_TRUE(reached[0]);
  cells.push_back(cell(210, 10, "wbc", 0, "wbc"));
  EXPECT_EQ(read_tally(tally.push_and_pull(frame(caps, 3, cells)).get())->target_count, 4U);
  EXPECT_TRUE(told(bus).empty()) << "once";
}

// Grades and the estimate of platelets go with the counts, to frames and into messages.
TEST(CellTallyElement, TellsGradesAndPlatelets) {
  const testing::TemporaryFolder folder;
  std::ofstream(folder.file("t.toml"))
      << "[burr_cell]\ngrades = { few = 0, many = 10 }\nleast_cells = 1000\n";
  Harness tally("celltally platelet-factor=4.5 grade-table=" + folder.file("t.toml"));
  const Bus bus(tally.element());
  const std::string caps = raw_caps("GRAY8", 2000, 2000);
  tally.caps(caps);
  std::vector<Cell> cells;
  for (int i = 0; i < 1020; ++i) {
    const bool burr = i % 5 == 0, platelet = i >= 1000;
    cells.push_back(cell(static_cast<float>(5 + 50 * (i % 39)), static_cast<float>(5 + 50 * (i / 39)),
                         platelet ? "platelet" : (burr ? "burr_cell" : "rbc"), platelet ? 3 : (burr ? 2 : 1),
                         platelet ? "platelet" : "rbc"));
  }
  const std::vector<Cell> fewer(cells.begin() + 1, cells.end());
  BufferPointer out = tally.push_and_pull(frame(caps, 0, fewer));
  EXPECT_EQ(read_tally(out.get())->rows.at(1).grade, "") << "999 red cells";
  EXPECT_FALSE(read_tally(out.get())->platelet_estimate.has_value());
  out = tally.push_and_pull(frame(caps, 40, cells));
  EXPECT_EQ(read_tally(out.get())->rows.at(1).grade, "many");
  EXPECT_EQ(read_tally(out.get())->platelet_estimate, 20 * 4.5);
  const Tally last = told(bus).back();
  EXPECT_EQ(last.rows.at(1).grade, "many");
  EXPECT_EQ(last.platelet_estimate, 20 * 4.5);
  g_object_set(tally.element(), "platelet-factor", 0.0, nullptr);
  out = tally.push_and_pull(frame(caps, 80, cells));
  EXPECT_FALSE(read_tally(out.get())->platelet_estimate.has_value());
  ASSERT_EQ(told(bus).size(), 1U) << "a change of the estimate alone";
}

// What the model tells of a class goes with its count.
TEST(CellTallyElement, TellsWeakClasses) {
  Harness tally("celltally");
  const std::string caps = raw_caps("GRAY8", 640, 480);
  tally.caps(caps);
  std::vector<Cell> cells{cell(10, 10), cell(60, 10, "burr_cell", 2, "rbc")};
  cells[1].weak = true;
  const BufferPointer out = tally.push_and_pull(frame(caps, 0, cells));
  ASSERT_EQ(read_tally(out.get())->rows.size(), 2U);
  EXPECT_FALSE(read_tally(out.get())->rows[0].weak);
  EXPECT_TRUE(read_tally(out.get())->rows[1].weak);
}

// A grade table that is none stops the stream before it starts.
TEST(CellTallyElement, AGradeTableThatIsNoneIsAnError) {
  GstElement* tally = gst_parse_launch("celltally grade-table=/nowhere/t.toml", nullptr);
  gst_object_ref_sink(tally);
  const Bus bus(tally);
  EXPECT_EQ(gst_element_set_state(tally, GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  GstMessage* message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);
  ASSERT_NE(message, nullptr);
  GError* error = nullptr;
  gst_message_parse_error(message, &error, nullptr);
  EXPECT_TRUE(g_error_matches(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ));
  EXPECT_NE(std::string(error->message).find("/nowhere/t.toml: cannot be read"), std::string::npos);
  g_error_free(error);
  gst_message_unref(message);
  gst_element_set_state(tally, GST_STATE_NULL);
  gst_object_unref(tally);
}

// Counting begins anew at the signal, and a message says so, also where no cell comes any more.
TEST(CellTallyElement, ANewSlideBeginsAnew) {
  Harness tally("celltally");
  const Bus bus(tally.element());
  const std::string caps = raw_caps("GRAY8", 640, 480);
  tally.caps(caps);
  tally.push_and_pull(frame(caps, 0, {cell(10, 10), cell(60, 10)}));
  EXPECT_EQ(tally.count("cells-counted"), 2U);
  told(bus);
  g_signal_emit_by_name(tally.element(), "new-slide");
  EXPECT_EQ(tally.count("cells-counted"), 0U);
  tally.push_and_pull(frame(caps, 1, {}));
  const std::vector<Tally> empty = told(bus);
  ASSERT_EQ(empty.size(), 1U);
  EXPECT_TRUE(empty[0].rows.empty());
  tally.push_and_pull(frame(caps, 2, {cell(10, 10)}));
  EXPECT_EQ(tally.count("cells-counted"), 1U);
  g_signal_emit_by_name(tally.element(), "new-slide");
  told(bus);
  gst_harness_push_event(tally.get(), gst_event_new_eos());
  for (const Tally& last : told(bus)) EXPECT_TRUE(last.rows.empty()) << "the slide before";
}

// The signal and the properties come from other threads while frames pass.
TEST(CellTallyElement, IsAskedAndToldWhileFramesPass) {
  Harness tally("celltally");
  const std::string caps = raw_caps("GRAY8", 320, 240);
  tally.caps(caps);
  std::atomic<bool> stop{false};
  std::thread other([&] {
    for (guint i = 0; !stop; ++i) {
      g_signal_emit_by_name(tally.element(), "new-slide");
      g_object_set(tally.element(), "target", i, "target-class", i % 2 ? "rbc" : "wbc", "tally", i % 7 != 0,
                   nullptr);
      EXPECT_LE(tally.count("cells-counted"), 1U);
    }
  });
  for (int i = 0; i < 300; ++i) tally.push_and_pull(frame(caps, i, {cell(50, 50)}));
  stop = true;
  other.join();
}

// Each start is a new slide, and tells nothing of the last.
TEST(CellTallyElement, EachStartIsANewSlide) {
  Harness tally("celltally");
  const std::string caps = raw_caps("GRAY8", 640, 480);
  tally.caps(caps);
  tally.push_and_pull(frame(caps, 0, {cell(10, 10), cell(60, 10)}));
  gst_element_set_state(tally.element(), GST_STATE_READY);
  gst_element_set_state(tally.element(), GST_STATE_PLAYING);
  EXPECT_EQ(tally.count("cells-counted"), 0U);
  const Bus bus(tally.element());
  gst_harness_push_event(tally.get(), gst_event_new_stream_start("again"));
  gst_harness_push_event(tally.get(), gst_event_new_eos());
  for (const Tally& last : told(bus)) EXPECT_TRUE(last.rows.empty());
}

// Switched off and on again, what passed meanwhile is not missed, and cells known before stay known.
TEST(CellTallyElement, CanBeSwitchedOnAgain) {
  Harness tally("celltally");
  const std::string caps = raw_caps("GRAY8", 640, 480);
  tally.caps(caps);
  const std::vector<Cell> cells{cell(10, 10), cell(60, 10), cell(300, 200), cell(110, 300)};
  tally.push_and_pull(frame(caps, 0, cells));
  tally.push_and_pull(frame(caps, 1, cells, 1));
  g_object_set(tally.element(), "tally", FALSE, nullptr);
  for (int i = 2; i < 5; ++i) tally.push_and_pull(frame(caps, i, {}));
  g_object_set(tally.element(), "tally", TRUE, nullptr);
  tally.push_and_pull(frame(caps, 5, {cell(200, 100)}, 1));  // found on a frame that passed unseen
  EXPECT_EQ(tally.count("cells-counted"), 4U);
  tally.push_and_pull(frame(caps, 6, cells));
  EXPECT_EQ(tally.count("cells-counted"), 4U);
}

// What another tally has attached, or someone who forged it, gives way.
TEST(CellTallyElement, ItsOwnTallyIsTheOneThatIsRead) {
  Harness tally("celltally");
  const std::string caps = raw_caps("GRAY8", 640, 480);
  tally.caps(caps);
  BufferPointer in = frame(caps, 0, {cell(10, 10)});
  Tally forged;
  forged.rows = {{"forged", "forged", 0, 999}};
  attach_tally(in.get(), forged);
  const BufferPointer out = tally.push_and_pull(std::move(in));
  EXPECT_EQ(read_tally(out.get())->rows.at(0).class_name, "rbc");
}

// Switched off, frames pass as they come.
TEST(CellTallyElement, CanBeSwitchedOff) {
  Harness tally("celltally tally=false");
  const Bus bus(tally.element());
  const std::string caps = raw_caps("GRAY8", 640, 480);
  tally.caps(caps);
  BufferPointer in = frame(caps, 0, {cell(10, 10)});
  GstBuffer* same = in.get();
  const BufferPointer out = tally.push_and_pull(std::move(in));
  EXPECT_EQ(out.get(), same);
  EXPECT_FALSE(read_tally(out.get()).has_value());
  gst_harness_push_event(tally.get(), gst_event_new_eos());
  EXPECT_TRUE(told(bus).empty());
}

// Whoever was told counts is told the end, also where counting was switched off before it.
TEST(CellTallyElement, TellsTheEndOfWhatItTold) {
  Harness tally("celltally");
  const Bus bus(tally.element());
  const std::string caps = raw_caps("GRAY8", 640, 480);
  tally.caps(caps);
  tally.push_and_pull(frame(caps, 0, {cell(10, 10)}));
  EXPECT_EQ(told(bus).size(), 1U);
  g_object_set(tally.element(), "tally", FALSE, nullptr);
  tally.push_and_pull(frame(caps, 1, {}));
  EXPECT_TRUE(told(bus).empty());
  gst_harness_push_event(tally.get(), gst_event_new_eos());
  const std::vector<Tally> end = told(bus);
  ASSERT_EQ(end.size(), 1U);
  EXPECT_EQ(end[0].rows.at(0).count, 1U);
}

void seek_to_start(Harness& harness) {
  gst_harness_push_event(harness.get(), gst_event_new_flush_start());
  gst_harness_push_event(harness.get(), gst_event_new_flush_stop(TRUE));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_harness_push_event(harness.get(), gst_event_new_segment(&segment));
}

// A seek back to the same picture: its cells are known, and messages come from the new time on.
TEST(CellTallyElement, ASeekRecountsNothing) {
  Harness tally("celltally");
  const Bus bus(tally.element());
  const std::string caps = raw_caps("I420", 640, 480);
  tally.caps(caps);
  std::vector<Cell> cells{cell(50, 50), cell(100, 50), cell(150, 50)};
  for (int i = 0; i < 3; ++i) {
    tally.push_and_pull(frame(caps, 1800, cells));
    seek_to_start(tally);
    cells.push_back(cell(50, static_cast<float>(150 + 60 * i)));
    tally.push_and_pull(frame(caps, 30 * (i + 1), cells));
    EXPECT_EQ(told(bus).size(), i == 0 ? 2U : 1U);
    EXPECT_EQ(tally.count("cells-counted"), cells.size());
  }
}

// Any frame size, also the smallest, and frames without time.
TEST(CellTallyElement, GoesOnThroughOtherSizes) {
  Harness tally("celltally");
  std::uint64_t counted = 0;
  for (const int width : {640, 320, 1, 640}) {
    const std::string caps = raw_caps("I420", width, 240);
    tally.caps(caps);
    BufferPointer plain = noise_frame(caps, 1);
    GST_BUFFER_PTS(plain.get()) = GST_CLOCK_TIME_NONE;
    EXPECT_TRUE(read_tally(tally.push_and_pull(std::move(plain)).get()).has_value());
    tally.push_and_pull(frame(caps, 1, {cell(50, 50), cell(100, 50), cell(150, 50)}));
    const std::uint64_t now = tally.count("cells-counted");
    EXPECT_GE(now, counted);
    EXPECT_LE(now, 3U) << "known since the first size";
    counted = now;
  }
  EXPECT_EQ(counted, 3U);
}

// A buffer smaller than its caps say is an error of the stream, in words.
TEST(CellTallyElement, AFrameThatCantBeReadIsAnError) {
  Harness tally("celltally");
  const Bus bus(tally.element());
  tally.caps(raw_caps("RGB", 640, 480));
  EXPECT_EQ(tally.push(BufferPointer(gst_buffer_new_allocate(nullptr, 100, nullptr))), GST_FLOW_ERROR);
  GstMessage* message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);
  ASSERT_NE(message, nullptr);
  gst_message_unref(message);
}

struct Slide {
  std::set<guint64> whole;
  std::map<std::string, guint64> counted;
};

void on_frame(GstElement*, GstBuffer* buffer, GstPad*, gpointer data) {
  auto* slide = static_cast<Slide*>(data);
  for (const TrueCell& cell : read_true_cells(buffer)) {
    if (cell.visible == 1) slide->whole.insert(cell.identity);
  }
  if (const std::optional<Tally> tally = read_tally(buffer)) {
    for (const Tally::Row& row : tally->rows) slide->counted[row.class_name] = row.count;
  }
}

// The shipped model on a moving stage: within a tenth of the cells that came wholly into view.
TEST(CellTallyElement, CountsASmearWithTheShippedModel) {
  const char* root = g_getenv("SMEARSCOPE_SOURCE_ROOT");
  ASSERT_NE(root, nullptr);
  const std::string model = std::string(root) + "/models/smearscope-cells.safetensors";
  GstElement* pipeline =
      gst_parse_launch(("smeartestsrc num-buffers=40 stage-path=return stage-speed=60 ! "
                        "video/x-raw,format=RGB,width=640,height=480,framerate=8/1 ! celldetect model=" +
                        model + " ! celltally ! fakesink name=sink signal-handoffs=true")
                           .c_str(),
                       nullptr);
  Slide slide;
  GstElement* sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
  g_signal_connect(sink, "handoff", G_CALLBACK(on_frame), &slide);
  gst_object_unref(sink);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  GstBus* bus = gst_element_get_bus(pipeline);
  GstMessage* end = gst_bus_timed_pop_filtered(
      bus, 200 * GST_SECOND, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
  ASSERT_NE(end, nullptr);
  EXPECT_EQ(GST_MESSAGE_TYPE(end), GST_MESSAGE_EOS);
  gst_message_unref(end);
  gst_object_unref(bus);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
  guint64 sum = 0;
  for (const auto& [name, count] : slide.counted) sum += count;
  ASSERT_GT(slide.whole.size(), 30U);
  EXPECT_NEAR(static_cast<double>(sum), static_cast<double>(slide.whole.size()),
              0.1 * static_cast<double>(slide.whole.size()));
}

}  // namespace
}  // namespace smearscope
