// cellreport as an element: its file, and what passes through it.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "cell_meta.h"
#include "element_harness.h"
#include "report/tally_table.h"

namespace smearscope {
namespace {

using testing::BufferPointer;
using testing::Harness;
using testing::noise_frame;
using testing::raw_caps;
using testing::TemporaryFolder;

const std::string caps = raw_caps("GRAY8", 16, 16);

BufferPointer frame_with(int number, const std::vector<Cell>& cells) {
  BufferPointer frame = noise_frame(caps, number);
  attach_cells(frame.get(), cells);
  return frame;
}

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Every frame is in the file, with its time, and with a row for each class that it shows.
TEST(CellReport, CountsEachFrameAndClass) {
  const TemporaryFolder folder;
  const std::string path = folder.file("counts.csv");
  Harness harness("cellreport min-confidence=0.5 csv-location=" + path);
  harness.caps(caps);
  const Cell rbc{{1, 1, 5, 5}, 0.9, 1, "rbc", 0}, faint{{1, 1, 5, 5}, 0.3, 1, "rbc", 0};
  const Cell odd{{2, 2, 6, 6}, 0.5, 0, "a \"b\", c", 0};
  ASSERT_TRUE(harness.push_and_pull(frame_with(0, {rbc, odd, rbc, faint})));
  ASSERT_TRUE(harness.push_and_pull(frame_with(3, {faint})));
  EXPECT_FALSE(std::filesystem::exists(path)) << "half-written";
  ASSERT_TRUE(gst_harness_push_event(harness.get(), gst_event_new_eos()));
  EXPECT_EQ(text_of(path),
            "frame,time_s,class,count\n0,0.000,\"a \"\"b\"\", c\",1\n0,0.000,rbc,2\n1,0.100,,0\n");
  EXPECT_FALSE(std::filesystem::exists(path + ".part"));
}

// Every cell of every frame, as a program reads it.
TEST(CellReport, WritesEachFramesCellsAsJsonLines) {
  const TemporaryFolder folder;
  const std::string path = folder.file("cells.jsonl");
  Harness harness("cellreport min-confidence=0.5 json-location=" + path);
  harness.caps(caps);
  const Cell rbc{{1, 1.5, 5, 5}, 0.75, 1, "rbc", 2}, faint{{1, 1, 5, 5}, 0.3, 1, "rbc", 0};
  const Cell odd{{2, 2, 6, 6}, 0.5, 0, "\"\xff", 0};
  ASSERT_TRUE(harness.push_and_pull(frame_with(0, {rbc, faint, odd})));
  ASSERT_TRUE(harness.push_and_pull(frame_with(3, {})));
  EXPECT_FALSE(std::filesystem::exists(path)) << "half-written";
  ASSERT_TRUE(gst_harness_push_event(harness.get(), gst_event_new_eos()));
  EXPECT_EQ(text_of(path),
            "{\"frame\":0,\"time_s\":0.0,\"width\":16,\"height\":16,\"cells\":["
            "{\"class\":\"rbc\",\"label_id\":1,\"confidence\":0.75,\"box\":[1.0,1.5,4.0,3.5],\"age\":2},"
            "{\"class\":\"\\\"\xEF\xBF\xBD\",\"label_id\":0,\"confidence\":0.5,\"box\":[2.0,2.0,4.0,4.0],"
            "\"age\":0}]}\n"
            "{\"frame\":1,\"time_s\":0.1,\"width\":16,\"height\":16,\"cells\":[]}\n");
}

// Two writers of one file would destroy each other's lines.
TEST(CellReport, OneFileCannotBeTwoReports) {
  const TemporaryFolder folder;
  const std::string path = folder.file("same");
  for (const auto& [one, other] :
       {std::pair("csv", "json"), std::pair("csv", "tally"), std::pair("json", "tally")}) {
    const std::string two = std::string(" ") + one + "-location=" + path + " " + other + "-location=" + path;
    GstElement* element = gst_parse_launch(("cellreport" + two).c_str(), nullptr);
    EXPECT_EQ(gst_element_set_state(element, GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE) << two;
    gst_element_set_state(element, GST_STATE_NULL);
    gst_object_unref(element);
  }
}

// A cell that celltally knows bears its identity, and one of a weak class says so.
TEST(CellReport, WritesIdentitiesAndWeakClasses) {
  const TemporaryFolder folder;
  const std::string path = folder.file("cells.jsonl");
  Harness harness("cellreport json-location=" + path);
  harness.caps(caps);
  Cell known{{1, 1, 5, 5}, 0.5, 1, "rbc", 0};
  known.identity = 42;
  Cell weak{{11, 1, 15, 5}, 0.5, 2, "burr_cell", 0};
  weak.weak = true;
  ASSERT_TRUE(harness.push_and_pull(frame_with(0, {known, weak})));
  ASSERT_TRUE(gst_harness_push_event(harness.get(), gst_event_new_eos()));
  EXPECT_NE(text_of(path).find("\"age\":0,\"identity\":42}"), std::string::npos);
  EXPECT_NE(text_of(path).find("\"age\":0,\"weak\":true}"), std::string::npos);
}

BufferPointer frame_with_tally(int number, guint64 neutrophils) {
  BufferPointer frame = frame_with(number, {});
  Tally tally;
  tally.rows = {{"wbc", "wbc", 0, 5},
                {"a, \"b\"", "wbc", 1, 0},
                {"platelet", "platelet", 2, 7},
                {"erythroblast", "erythroblast", 3, 3}};
  tally.rows.insert(tally.rows.begin() + 1, {"neutrophil", "wbc", 1, neutrophils, "few, \"1+\"", true});
  tally.rows[3].weak = true;
  tally.platelet_estimate = 249.6;
  attach_tally(frame.get(), tally);
  return frame;
}

// Kinds below their families, with their shares and the limits of these; the file is there while the stream
// runs, and replaced once a second.
TEST(CellReport, WritesTheTally) {
  const TemporaryFolder folder;
  const std::string path = folder.file("tally.csv");
  Harness harness("cellreport tally-location=" + path);
  harness.caps(caps);
  EXPECT_FALSE(std::filesystem::exists(path));
  const auto table = [](const std::string& family, const std::string& neutrophils, const std::string& other,
                        const std::string& open, const std::string& erythroblasts) {
    return "class,family,count,percent,low,high,per_100_wbc,grade,estimate_1e9_per_l,weak\nwbc,," + family +
           ",,,,,,,\nneutrophil,wbc," + neutrophils + ",,\"few, \"\"1+\"\"\",,yes\n\"a, \"\"b\"\"\",wbc," +
           other + ",,,,\nunidentified,wbc," + open + ",,,,\nplatelet,,7,,,,,,250,yes\nerythroblast,,3,,,," +
           erythroblasts + ",,,\n";
  };
  const std::string first = table("20", "15,75.0,50.9,91.3", "0,0.0,0.0,16.8", "5,25.0,8.7,49.1", "15.0");
  ASSERT_TRUE(harness.push_and_pull(frame_with_tally(0, 15)));
  EXPECT_EQ(text_of(path), first);
  ASSERT_TRUE(harness.push_and_pull(frame_with_tally(29, 14)));
  EXPECT_EQ(text_of(path), first) << "not a second old";
  ASSERT_TRUE(harness.push_and_pull(frame_with_tally(30, 0)));
  EXPECT_EQ(text_of(path), table("5", "0,0.0,0.0,52.2", "0,0.0,0.0,52.2", "5,100.0,47.8,100.0", "60.0"));
  ASSERT_TRUE(harness.push_and_pull(frame_with_tally(31, 15)));
  ASSERT_TRUE(gst_harness_push_event(harness.get(), gst_event_new_eos()));
  EXPECT_EQ(text_of(path), first);
  EXPECT_FALSE(std::filesystem::exists(path + ".part"));
}

// A tally that nobody counted is not written as none: the file before stays, and a warning says why.
TEST(CellReport, WithoutATallyThereIsAWarning) {
  const TemporaryFolder folder;
  const std::string path = folder.file("tally.csv");
  std::ofstream(path) << "old";
  Harness harness("cellreport tally-location=" + path);
  GstBus* bus = gst_bus_new();
  gst_element_set_bus(harness.element(), bus);
  harness.caps(caps);
  ASSERT_TRUE(harness.push_and_pull(frame_with(0, {})));
  ASSERT_TRUE(gst_harness_push_event(harness.get(), gst_event_new_eos()));
  GstMessage* warning = gst_bus_pop_filtered(bus, GST_MESSAGE_WARNING);
  ASSERT_NE(warning, nullptr);
  gst_message_unref(warning);
  gst_object_unref(bus);
  EXPECT_EQ(text_of(path), "old");
}

// Clopper and Pearson's limits as differential tables print them, and the ends of the range.
TEST(ShareLimits, AreExact) {
  const auto expect_percent = [](std::uint64_t part, std::uint64_t whole, double low, double high) {
    EXPECT_NEAR(100 * share_limits(part, whole).low, low, 0.05) << part << " of " << whole;
    EXPECT_NEAR(100 * share_limits(part, whole).high, high, 0.05) << part << " of " << whole;
  };
  expect_percent(5, 100, 1.6, 11.3);
  expect_percent(10, 200, 2.4, 9.0);
  expect_percent(20, 400, 3.1, 7.6);
  expect_percent(0, 100, 0, 3.6);
  expect_percent(100, 100, 96.4, 100);
  expect_percent(0, 1, 0, 97.5);
  expect_percent(500000000, 1000000000, 49.997, 50.003);
}

// Frames pass as they came: the same memory, and the cells still attached.
TEST(CellReport, FramesPassUnchanged) {
  Harness harness("cellreport");
  harness.caps(caps);
  BufferPointer frame = frame_with(1, {{{1, 1, 5, 5}, 0.9, 1, "rbc", 0}});
  GstMemory* const memory = gst_buffer_peek_memory(frame.get(), 0);
  const BufferPointer out = harness.push_and_pull(std::move(frame));
  ASSERT_TRUE(out);
  EXPECT_EQ(gst_buffer_peek_memory(out.get(), 0), memory);
  EXPECT_EQ(read_cells(out.get()).size(), 1U);
}

// A file that can't be made stops the element before the first frame.
TEST(CellReport, UnwritableFileIsAnError) {
  for (const char* location : {"csv-location", "json-location", "tally-location"}) {
    GstElement* element = gst_parse_launch(
        (std::string("cellreport ") + location + "=/nowhere/at/all/counts.csv").c_str(), nullptr);
    EXPECT_EQ(gst_element_set_state(element, GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE) << location;
    gst_element_set_state(element, GST_STATE_NULL);
    gst_object_unref(element);
  }
}

// A full disk fails the stream; the file that was there stays.
TEST(CellReport, FullDiskIsAnErrorAndKeepsTheOldFile) {
  const TemporaryFolder folder;
  const std::string path = folder.file("counts.csv");
  std::ofstream(path) << "old";
  std::filesystem::create_symlink("/dev/full", path + ".part");
  GstElement* element = gst_parse_launch(("cellreport csv-location=" + path).c_str(), nullptr);
  EXPECT_EQ(gst_element_set_state(element, GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  gst_element_set_state(element, GST_STATE_NULL);
  gst_object_unref(element);
  EXPECT_EQ(text_of(path), "old");
}

}  // namespace
}  // namespace smearscope
