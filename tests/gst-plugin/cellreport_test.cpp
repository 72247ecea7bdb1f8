// cellreport as an element: its file, and what passes through it.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "cell_meta.h"
#include "element_harness.h"

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
TEST(CellReport, OneFileCannotBeBothReports) {
  const TemporaryFolder folder;
  const std::string path = folder.file("same");
  GstElement* element =
      gst_parse_launch(("cellreport csv-location=" + path + " json-location=" + path).c_str(), nullptr);
  EXPECT_EQ(gst_element_set_state(element, GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  gst_element_set_state(element, GST_STATE_NULL);
  gst_object_unref(element);
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
  GstElement* element = gst_parse_launch("cellreport csv-location=/nowhere/at/all/counts.csv", nullptr);
  EXPECT_EQ(gst_element_set_state(element, GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  gst_element_set_state(element, GST_STATE_NULL);
  gst_object_unref(element);
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
