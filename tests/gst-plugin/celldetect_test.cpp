// celldetect as an element: caps, metadata, timestamps, properties, errors.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <set>
#include <string>
#include <thread>

#include "cell_meta.h"
#include "detection/video_frame.h"
#include "element_harness.h"
#include "smearscope/detector.h"

namespace smearscope {
namespace {

using testing::BufferPointer;
using testing::Harness;
using testing::noise_frame;
using testing::raw_caps;
using testing::tiny_model_path;

// Every detection of the engine, second names of a cell too.
std::string celldetect(const std::string& properties = "mode=every") {
  return "celldetect model=" + tiny_model_path() + " score-threshold=0 agnostic-nms-threshold=1 " +
         properties;
}

std::vector<Cell> bare_engine(Detector& detector, GstBuffer* buffer, const std::string& caps) {
  const GstVideoInfo info = testing::video_info(caps);
  const MappedFrame frame(buffer, info);
  std::vector<Cell> cells;
  const Detections detections = detector.detect({frame.view()}, Thresholds{0, 0.5, 100}).at(0);
  for (const Detection& found : detections) {
    cells.push_back({found.box, found.score, found.label, "", 0});
  }
  return cells;
}

// Every format, at odd and even sizes: the pixels are the very memory that came, times are kept, cells lie
// inside.
TEST(CellDetect, FramesPassUntouchedInEveryFormat) {
  Harness harness(celldetect());
  for (const char* format : {"RGB", "BGR", "RGBA", "RGBx", "BGRA", "BGRx", "GRAY8", "NV12", "I420"}) {
    for (const auto& [width, height] : {std::pair(64, 48), std::pair(65, 47)}) {
      SCOPED_TRACE(std::string(format) + " " + std::to_string(width));
      harness.caps(raw_caps(format, width, height));
      BufferPointer buffer = noise_frame(raw_caps(format, width, height), 3);
      GST_BUFFER_OFFSET(buffer.get()) = 17;
      GstMemory* const memory = gst_buffer_peek_memory(buffer.get(), 0);
      const BufferPointer out = harness.push_and_pull(std::move(buffer));
      ASSERT_TRUE(out);
      EXPECT_EQ(gst_buffer_peek_memory(out.get(), 0), memory);
      EXPECT_EQ(GST_BUFFER_PTS(out.get()), GST_SECOND / 10);
      EXPECT_EQ(GST_BUFFER_DURATION(out.get()), GST_SECOND / 30);
      EXPECT_EQ(GST_BUFFER_OFFSET(out.get()), 17U);
      const std::vector<Cell> cells = read_cells(out.get());
      EXPECT_FALSE(cells.empty());
      for (const Cell& cell : cells) {
        EXPECT_GE(cell.box.x_min, 0);
        EXPECT_GE(cell.box.y_min, 0);
        EXPECT_LE(cell.box.x_max, width);
        EXPECT_LE(cell.box.y_max, height);
      }
    }
  }
}

// What is attached is what the engine finds: same boxes, scores, labels, names, in the same order.
TEST(CellDetect, CellsAreTheEnginesDetections) {
  Harness harness(celldetect());
  Detector detector(Model::load(tiny_model_path()), {});
  for (const char* format : {"RGB", "BGRx", "I420"}) {
    const std::string caps = raw_caps(format, 81, 60) + ",colorimetry=bt709";
    harness.caps(caps);
    const std::vector<Cell> expected = bare_engine(detector, noise_frame(caps, 5).get(), caps);
    const std::vector<Cell> cells = read_cells(harness.push_and_pull(noise_frame(caps, 5)).get());
    ASSERT_EQ(cells.size(), expected.size()) << format;
    ASSERT_FALSE(cells.empty());
    const std::vector<std::string> names = testing::tiny_model_info().classes;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      EXPECT_EQ(cells[i].box.x_min, expected[i].box.x_min);
      EXPECT_EQ(cells[i].box.y_max, expected[i].box.y_max);
      EXPECT_EQ(cells[i].confidence, expected[i].confidence);
      EXPECT_EQ(cells[i].class_name, names.at(static_cast<std::size_t>(expected[i].label)));
      EXPECT_EQ(cells[i].age, 0U);
    }
  }
}

// Rows may be padded: the buffer's GstVideoMeta says how, and the same picture gives the same cells.
TEST(CellDetect, PaddedRowsGiveTheSameCells) {
  const std::string caps = raw_caps("RGB", 64, 48);
  const GstVideoInfo info = testing::video_info(caps);
  const BufferPointer tight = noise_frame(caps, 1);
  constexpr int stride = 64 * 3 + 41;
  GstBuffer* padded = gst_buffer_new_allocate(nullptr, stride * 48, nullptr);
  gst_buffer_memset(padded, 0, 255, stride * 48);
  GstMapInfo map;
  gst_buffer_map(tight.get(), &map, GST_MAP_READ);
  for (int y = 0; y < 48; ++y) {
    gst_buffer_fill(padded, static_cast<gsize>(y) * stride,
                    map.data + y * GST_VIDEO_INFO_PLANE_STRIDE(&info, 0), 64 * 3);
  }
  gst_buffer_unmap(tight.get(), &map);
  gsize offset[4] = {};
  gint strides[4] = {stride};
  gst_buffer_add_video_meta_full(padded, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_RGB, 64, 48, 1, offset,
                                 strides);

  Harness harness(celldetect());
  harness.caps(caps);
  const std::vector<Cell> a = read_cells(harness.push_and_pull(BufferPointer(padded)).get());
  const std::vector<Cell> b = read_cells(harness.push_and_pull(noise_frame(caps, 1)).get());
  ASSERT_EQ(a.size(), b.size());
  ASSERT_FALSE(a.empty());
  EXPECT_EQ(a[0].confidence, b[0].confidence);
}

// A frame that someone else holds too (tee) is not written to: the other holder sees no cells.
TEST(CellDetect, SharedBufferIsNotChanged) {
  Harness harness(celldetect());
  harness.caps(raw_caps("RGB", 64, 48));
  const BufferPointer buffer = noise_frame(raw_caps("RGB", 64, 48), 1);
  const BufferPointer out = harness.push_and_pull(BufferPointer(gst_buffer_ref(buffer.get())));
  EXPECT_FALSE(read_cells(out.get()).empty());
  EXPECT_TRUE(read_cells(buffer.get()).empty());
  EXPECT_EQ(gst_buffer_peek_memory(out.get(), 0), gst_buffer_peek_memory(buffer.get(), 0));
}

// What came with the frame goes on with it.
TEST(CellDetect, OtherMetadataIsKept) {
  Harness harness(celldetect());
  harness.caps(raw_caps("RGB", 64, 48));
  BufferPointer buffer = noise_frame(raw_caps("RGB", 64, 48), 1);
  attach_true_cells(buffer.get(), {{{1, 2, 30, 40}, 1, "rbc", 42, 10, 20, 1}});
  attach_stage(buffer.get(), {100, 200, 0.5, 0.1});
  const BufferPointer out = harness.push_and_pull(std::move(buffer));
  EXPECT_EQ(read_true_cells(out.get()).at(0).identity, 42U);
  EXPECT_EQ(read_stage(out.get())->x_um, 100);
}

// Frames that the engine can't read are refused when formats are negotiated.
TEST(CellDetect, OtherFormatsAreRefused) {
  for (const char* caps :
       {"video/x-raw,format=ARGB,width=64,height=48", "video/x-raw,format=GRAY16_LE,width=64,height=48",
        "video/x-raw(memory:DMABuf),format=RGB,width=64,height=48", "image/jpeg,width=64,height=48"}) {
    Harness harness(celldetect());
    GstCaps* wanted = gst_caps_from_string(caps);
    GstQuery* query = gst_query_new_accept_caps(wanted);
    gboolean accepted = TRUE;
    gst_pad_peer_query(harness.get()->srcpad, query);
    gst_query_parse_accept_caps_result(query, &accepted);
    EXPECT_FALSE(accepted) << caps;
    gst_query_unref(query);
    gst_caps_unref(wanted);
  }
}

// Size and format change in mid-stream, in both modes.
TEST(CellDetect, CapsMayChangeWhilePlaying) {
  for (const char* mode : {"mode=every", "mode=latest"}) {
    Harness harness(celldetect(mode));
    int number = 0;
    for (const auto& caps : {raw_caps("RGB", 64, 48), raw_caps("NV12", 33, 65), raw_caps("GRAY8", 128, 40),
                             raw_caps("RGB", 64, 48)}) {
      harness.caps(caps);
      const GstVideoInfo info = testing::video_info(caps);
      for (int i = 0; i < 5; ++i) {
        const BufferPointer out = harness.push_and_pull(noise_frame(caps, number++));
        for (const Cell& cell : read_cells(out.get())) {
          EXPECT_LE(cell.box.x_max, GST_VIDEO_INFO_WIDTH(&info));
          EXPECT_LE(cell.box.y_max, GST_VIDEO_INFO_HEIGHT(&info));
        }
      }
    }
  }
}

// The smallest frame and very long ones are frames like others.
TEST(CellDetect, OddSizesPass) {
  Harness every(celldetect("mode=every")), latest(celldetect("mode=latest"));
  for (const auto& [width, height] :
       {std::pair(1, 1), std::pair(2000, 1), std::pair(1, 2000), std::pair(4001, 3)}) {
    const std::string caps = raw_caps("I420", width, height);
    every.caps(caps);
    latest.caps(caps);
    EXPECT_TRUE(every.push_and_pull(noise_frame(caps, 1))) << width << "x" << height;
    EXPECT_TRUE(latest.push_and_pull(noise_frame(caps, 1))) << width << "x" << height;
  }
}

std::size_t cells_found(Harness& harness, int number = 1) {
  return read_cells(harness.push_and_pull(noise_frame(raw_caps("RGB", 64, 48), number)).get()).size();
}

// Thresholds, classes and limit count from the next frame on.
TEST(CellDetect, SelectionChangesWhilePlaying) {
  Harness harness(celldetect("mode=every max-detections=100000"));
  harness.caps(raw_caps("RGB", 64, 48));
  const std::size_t all = cells_found(harness);
  EXPECT_GT(all, 10U);
  g_object_set(harness.element(), "max-detections", 3, nullptr);
  EXPECT_EQ(cells_found(harness), 3U);
  g_object_set(harness.element(), "max-detections", 100000, "score-threshold", 1.0, nullptr);
  EXPECT_EQ(cells_found(harness), 0U);
  g_object_set(harness.element(), "score-threshold", 0.0, "nms-threshold", 0.0, nullptr);
  EXPECT_LT(cells_found(harness), all);
  g_object_set(harness.element(), "nms-threshold", -1.0, nullptr);
  EXPECT_EQ(cells_found(harness), all);
}

// The limit is on the wanted classes: cells of others must not use it up.
TEST(CellDetect, LimitCountsWantedClassesAlone) {
  Harness everything(celldetect("mode=every max-detections=100000"));
  everything.caps(raw_caps("RGB", 64, 48));
  const std::vector<Cell> all =
      read_cells(everything.push_and_pull(noise_frame(raw_caps("RGB", 64, 48), 1)).get());
  ASSERT_FALSE(all.empty());
  const std::string best = all.front().class_name;
  std::string other;
  for (const Cell& cell : all) {
    if (cell.class_name != best) other = cell.class_name;
  }
  ASSERT_FALSE(other.empty()) << "the random model finds but one class";
  Harness harness(celldetect("mode=every max-detections=1 classes=" + other));
  harness.caps(raw_caps("RGB", 64, 48));
  const std::vector<Cell> cells =
      read_cells(harness.push_and_pull(noise_frame(raw_caps("RGB", 64, 48), 1)).get());
  ASSERT_EQ(cells.size(), 1U);
  EXPECT_EQ(cells[0].class_name, other);
}

float overlap(const Box& a, const Box& b) {
  const float width = std::max(0.0F, std::min(a.x_max, b.x_max) - std::max(a.x_min, b.x_min));
  const float height = std::max(0.0F, std::min(a.y_max, b.y_max) - std::max(a.y_min, b.y_min));
  const auto area = [](const Box& box) { return (box.x_max - box.x_min) * (box.y_max - box.y_min); };
  return width * height / (area(a) + area(b) - width * height);
}

// Of cells, best first, those that no better one of any class overlaps: the rule, box by box.
std::vector<Cell> surest_names(const std::vector<Cell>& cells, float threshold) {
  std::vector<Cell> kept;
  for (const Cell& cell : cells) {
    const auto hides = [&](const Cell& better) { return overlap(better.box, cell.box) > threshold; };
    if (std::none_of(kept.begin(), kept.end(), hides)) kept.push_back(cell);
  }
  return kept;
}

void expect_same(const std::vector<Cell>& found, const std::vector<Cell>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].class_name, expected[i].class_name);
    EXPECT_EQ(found[i].confidence, expected[i].confidence);
    EXPECT_EQ(found[i].box.x_min, expected[i].box.x_min);
  }
}

// A cell is shown and counted once, under its surest name; and neither its other names nor a limit on cells
// take another cell's place, nor does it come back under another name where classes are chosen.
TEST(CellDetect, CellHasOneName) {
  const auto cells_with = [](const std::string& properties) {
    Harness harness("celldetect mode=every score-threshold=0 model=" + tiny_model_path() + " " + properties);
    harness.caps(raw_caps("RGB", 64, 48));
    return read_cells(harness.push_and_pull(noise_frame(raw_caps("RGB", 64, 48), 1)).get());
  };
  const std::vector<Cell> all = cells_with("max-detections=100000 agnostic-nms-threshold=1");
  const std::vector<Cell> expected = surest_names(all, 0.5F);
  ASSERT_LT(expected.size(), all.size()) << "the random model gives no cell two names";
  ASSERT_GT(expected.size(), 5U);
  expect_same(cells_with("max-detections=100000"), expected);
  expect_same(cells_with("max-detections=100000 agnostic-nms-threshold=0.2"), surest_names(all, 0.2F));
  expect_same(cells_with("max-detections=5"), {expected.begin(), expected.begin() + 5});

  std::vector<Cell> red_cells;
  std::copy_if(expected.begin(), expected.end(), std::back_inserter(red_cells),
               [](const Cell& cell) { return cell.class_name == "rbc"; });
  expect_same(cells_with("max-detections=100000 classes=rbc"), red_cells);
}

// Below kind-threshold a cell goes by its family's name, also where it is changed while the stream plays.
TEST(CellDetect, KindIsNamedWhereItIsSure) {
  const testing::TemporaryFolder folder;
  ModelInfo info = testing::tiny_model_info();
  info.parents = {-1, 0, -1};  // rbc a kind of wbc
  testing::write_random_model(folder.file("kinds.safetensors"), info, 1);
  Harness harness("celldetect mode=every score-threshold=0 max-detections=1000 kind-threshold=0 model=" +
                  folder.file("kinds.safetensors"));
  harness.caps(raw_caps("RGB", 64, 48));
  const auto count = [&](const std::string& name) {
    const std::vector<Cell> cells =
        read_cells(harness.push_and_pull(noise_frame(raw_caps("RGB", 64, 48), 1)).get());
    return std::count_if(cells.begin(), cells.end(),
                         [&](const Cell& cell) { return cell.class_name == name; });
  };
  EXPECT_GT(count("rbc"), 0);
  g_object_set(harness.element(), "kind-threshold", 1.0, nullptr);
  EXPECT_EQ(count("rbc"), 0);
  EXPECT_GT(count("wbc"), 0);
}

// A frame of 64x48 is resized to 170x128 there.
TEST(CellDetect, TellsWhichRedCellsTheModelKnows) {
  const auto origin_of = [](const std::string& model) {
    Harness harness("celldetect mode=every model=" + model);
    harness.caps(raw_caps("RGB", 64, 48));
    return read_origin(harness.push_and_pull(noise_frame(raw_caps("RGB", 64, 48), 1)).get()).value();
  };
  EXPECT_EQ(origin_of(tiny_model_path()).least_red_cell, 0);
  EXPECT_EQ(origin_of(tiny_model_path()).largest_red_cell, 0);
  const testing::TemporaryFolder folder;
  ModelInfo info = testing::tiny_model_info();
  info.red_cell_sides = {16, 64};
  testing::write_random_model(folder.file("sides.safetensors"), info, 1);
  const DetectionOrigin origin = origin_of(folder.file("sides.safetensors"));
  EXPECT_DOUBLE_EQ(origin.least_red_cell, 0.125);
  EXPECT_DOUBLE_EQ(origin.largest_red_cell, 0.5);
}

// Cells of a class that the model says is weak say so, too, and others don't.
TEST(CellDetect, TellsWeakClasses) {
  const testing::TemporaryFolder folder;
  ModelInfo info = testing::tiny_model_info();
  info.weak_classes = {"rbc"};
  testing::write_random_model(folder.file("weak.safetensors"), info, 1);
  Harness harness(
      "celldetect mode=every score-threshold=0 agnostic-nms-threshold=1 max-detections=1000 model=" +
      folder.file("weak.safetensors"));
  harness.caps(raw_caps("RGB", 64, 48));
  const BufferPointer out = harness.push_and_pull(noise_frame(raw_caps("RGB", 64, 48), 1));
  std::set<std::string> names;
  for (const Cell& cell : read_cells(out.get())) {
    EXPECT_EQ(cell.weak, cell.class_name == "rbc") << cell.class_name;
    names.insert(cell.class_name);
  }
  EXPECT_GT(names.size(), 1U);
  EXPECT_EQ(names.count("rbc"), 1U);
}

// What can be read while playing: counts, time, what the model is.
TEST(CellDetect, ReadingsTellWhatHappens) {
  Harness harness(celldetect());
  harness.caps(raw_caps("RGB", 64, 48));
  for (int i = 0; i < 3; ++i) cells_found(harness, i);
  EXPECT_EQ(harness.count("frames-detected"), 3U);
  EXPECT_EQ(harness.count("frames-skipped"), 0U);
  EXPECT_EQ(harness.count("frames-dropped"), 0U);
  double milliseconds = 0;
  gchar *digest = nullptr, *names = nullptr;
  g_object_get(harness.element(), "detection-time", &milliseconds, "model-digest", &digest, "class-names",
               &names, nullptr);
  EXPECT_GT(milliseconds, 0);
  EXPECT_EQ(digest, Model::load(tiny_model_path())->digest());
  EXPECT_STREQ(names, "wbc, rbc, platelet");
  g_free(digest);
  g_free(names);
}

// Frames already late at the sink are dropped before they are detected, if QoS is asked for, and are counted.
TEST(CellDetect, LateFramesAreDroppedAndCountedWithQos) {
  Harness harness(celldetect("mode=every qos=true"));
  harness.caps(raw_caps("RGB", 64, 48));
  cells_found(harness, 0);
  gst_harness_push_upstream_event(
      harness.get(), gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 2.0, GST_SECOND / 2, GST_SECOND / 30));
  for (int i = 1; i <= 4; ++i) EXPECT_EQ(harness.push(noise_frame(raw_caps("RGB", 64, 48), i)), GST_FLOW_OK);
  EXPECT_EQ(harness.count("frames-dropped"), 4U);
  EXPECT_EQ(harness.count("frames-detected"), 1U);
  EXPECT_EQ(gst_harness_buffers_in_queue(harness.get()), 0U);
}

}  // namespace
}  // namespace smearscope
