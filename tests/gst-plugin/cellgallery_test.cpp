// cellgallery as an element: its pictures, and what passes through it.
#include <gtest/gtest.h>

#include <filesystem>
#include <opencv2/imgcodecs.hpp>

#include "cell_meta.h"
#include "element_harness.h"

namespace smearscope {
namespace {

namespace fs = std::filesystem;
using testing::BufferPointer;
using testing::Bus;
using testing::Harness;
using testing::noise_frame;
using testing::raw_caps;
using testing::TemporaryFolder;

// A frame of one grey level with a counted cell.
BufferPointer frame(const std::string& caps, guint64 identity, std::uint8_t level = 150) {
  BufferPointer buffer = noise_frame(caps, 1);
  gst_buffer_memset(buffer.get(), 0, level, gst_buffer_get_size(buffer.get()));
  Cell cell{{20, 20, 60, 60}, 0.9, 1, "rbc", 0};
  cell.identity = identity;
  cell.counted_as = "rbc";
  attach_cells(buffer.get(), {cell});
  attach_tally(buffer.get(), Tally{});
  return buffer;
}

// Messages of a kind since the last call, as text.
std::vector<std::string> posted(GstBus* bus, GstMessageType type) {
  std::vector<std::string> texts;
  while (GstMessage* message = gst_bus_pop_filtered(bus, type)) {
    GError* error = nullptr;
    if (type == GST_MESSAGE_ERROR)
      gst_message_parse_error(message, &error, nullptr);
    else
      gst_message_parse_warning(message, &error, nullptr);
    texts.emplace_back(error->message);
    g_error_free(error);
    gst_message_unref(message);
  }
  return texts;
}

// A frame of one colour in a format.
BufferPointer coloured_frame(const std::string& caps, guint64 identity, int red, int green, int blue) {
  GstVideoInfo info = testing::video_info(caps), rgb = testing::video_info(raw_caps("RGB", 161, 121));
  BufferPointer from(gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&rgb), nullptr));
  BufferPointer to = frame(caps, identity);
  GstVideoFrame source, target;
  gst_video_frame_map(&source, &rgb, from.get(), GST_MAP_READWRITE);
  for (int y = 0; y < 121; ++y) {
    auto* row = static_cast<guint8*>(GST_VIDEO_FRAME_PLANE_DATA(&source, 0)) +
                y * GST_VIDEO_FRAME_PLANE_STRIDE(&source, 0);
    for (int x = 0; x < 161; ++x, row += 3) {
      row[0] = static_cast<guint8>(red);
      row[1] = static_cast<guint8>(green);
      row[2] = static_cast<guint8>(blue);
    }
  }
  gst_video_frame_map(&target, &info, to.get(), GST_MAP_WRITE);
  GstVideoConverter* converter = gst_video_converter_new(&rgb, &info, nullptr);
  gst_video_converter_frame(converter, &source, &target);
  gst_video_converter_free(converter);
  gst_video_frame_unmap(&target);
  gst_video_frame_unmap(&source);
  return to;
}

// Whatever the format, the picture has the frame's colours, and the frame passes as it is.
TEST(CellGallery, KeepsPicturesInEveryFormat) {
  for (const char* format :
       {"RGB", "BGR", "RGBA", "BGRx", "GRAY8", "NV12", "I420", "YUY2", "RGB16", "GRAY16_LE", "ARGB64"}) {
    SCOPED_TRACE(format);
    const TemporaryFolder folder;
    const std::string caps = raw_caps(format, 161, 121);
    Harness harness("cellgallery gallery-location=" + folder.file("gallery"));
    harness.caps(caps);
    BufferPointer in = coloured_frame(caps, 7, 200, 90, 150);
    GstBuffer* pushed = in.get();
    const BufferPointer out = harness.push_and_pull(std::move(in));
    EXPECT_EQ(out.get(), pushed) << "the same buffer, not a copy";
    ASSERT_TRUE(gst_harness_push_event(harness.get(), gst_event_new_eos()));
    const cv::Mat picture = cv::imread(folder.file("gallery/found/rbc/000007.png"));
    ASSERT_EQ(picture.size(), cv::Size(80, 80));
    const cv::Vec3b pixel = picture.at<cv::Vec3b>(40, 40);
    if (std::string(format).find("GRAY") == 0) {
      EXPECT_EQ(pixel[0], pixel[2]);
      continue;
    }
    EXPECT_NEAR(pixel[0], 150, 8);
    EXPECT_NEAR(pixel[1], 90, 8);
    EXPECT_NEAR(pixel[2], 200, 8);
  }
}

// Without a place for it there is no gallery, and nothing is asked of anyone.
TEST(CellGallery, IsOffUnlessAskedFor) {
  const std::string caps = raw_caps("RGB", 160, 120);
  Harness harness("cellgallery");
  const Bus bus(harness.element());
  harness.caps(caps);
  harness.push_and_pull(frame(caps, 7));
  gst_harness_push_event(harness.get(), gst_event_new_eos());
  EXPECT_TRUE(posted(bus, GST_MESSAGE_WARNING).empty());
}

// The frame's size may change in mid-stream.
TEST(CellGallery, GoesOnThroughOtherSizes) {
  const TemporaryFolder folder;
  Harness harness("cellgallery gallery-location=" + folder.file("gallery"));
  guint64 identity = 0;
  for (const auto& [width, height] : {std::pair{160, 120}, std::pair{321, 243}, std::pair{64, 64}}) {
    const std::string caps = raw_caps("NV12", width, height);
    harness.caps(caps);
    harness.push_and_pull(frame(caps, ++identity));
  }
  gst_harness_push_event(harness.get(), gst_event_new_eos());
  EXPECT_EQ(cv::imread(folder.file("gallery/frames/000002.png")).size(), cv::Size(321, 243));
  EXPECT_EQ(cv::imread(folder.file("gallery/frames/000003.png")).size(), cv::Size(64, 64));
}

// A stream that nobody counts in has no gallery, and says why.
TEST(CellGallery, WithoutACountThereIsAWarning) {
  const TemporaryFolder folder;
  const std::string caps = raw_caps("RGB", 160, 120);
  Harness harness("cellgallery gallery-location=" + folder.file("gallery"));
  const Bus bus(harness.element());
  harness.caps(caps);
  harness.push_and_pull(noise_frame(caps, 1));
  gst_harness_push_event(harness.get(), gst_event_new_eos());
  gst_element_set_state(harness.element(), GST_STATE_NULL);
  const std::vector<std::string> warnings = posted(bus, GST_MESSAGE_WARNING);
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_NE(warnings[0].find("Put celltally, with tally=true, before"), std::string::npos) << warnings[0];
}

// A folder with something in it is not touched, and the user is told where the gallery is; a stream that
// starts again has one of its own.
TEST(CellGallery, EachStartHasAGalleryOfItsOwn) {
  const TemporaryFolder folder;
  const std::string caps = raw_caps("RGB", 160, 120);
  for (int start = 0; start < 3; ++start) {
    Harness harness("cellgallery gallery-location=" + folder.file("gallery"));
    harness.caps(caps);
    harness.push_and_pull(frame(caps, 1));
    gst_harness_push_event(harness.get(), gst_event_new_eos());
  }
  for (const char* name : {"gallery", "gallery-2", "gallery-3"})
    EXPECT_TRUE(fs::exists(folder.file(name) + "/found/rbc/000001.png")) << name;
  GstElement* element = gst_element_factory_make("cellgallery", nullptr);
  gst_object_ref_sink(element);
  {
    const Bus bus(element);
    g_object_set(element, "gallery-location", folder.file("gallery").c_str(), nullptr);
    EXPECT_NE(gst_element_set_state(element, GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
    GstMessage* message = gst_bus_pop_filtered(bus, GST_MESSAGE_INFO);
    ASSERT_NE(message, nullptr);
    GError* info = nullptr;
    gst_message_parse_info(message, &info, nullptr);
    EXPECT_NE(std::string(info->message).find("the gallery is in " + folder.file("gallery-4")),
              std::string::npos)
        << info->message;
    g_error_free(info);
    gst_message_unref(message);
    gst_element_set_state(element, GST_STATE_NULL);
  }
  gst_object_unref(element);
}

// After the end of the stream and a seek more pictures come, and the bound holds.
TEST(CellGallery, GoesOnAfterTheEnd) {
  const TemporaryFolder folder;
  const std::string caps = raw_caps("RGB", 160, 120);
  Harness harness("cellgallery gallery-most=2 gallery-location=" + folder.file("gallery"));
  const Bus bus(harness.element());
  harness.caps(caps);
  harness.push_and_pull(frame(caps, 1));
  gst_harness_push_event(harness.get(), gst_event_new_eos());
  gst_harness_push_event(harness.get(), gst_event_new_flush_start());
  gst_harness_push_event(harness.get(), gst_event_new_flush_stop(TRUE));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_harness_push_event(harness.get(), gst_event_new_segment(&segment));
  for (guint64 i = 2; i < 5; ++i) harness.push_and_pull(frame(caps, i));
  gst_harness_push_event(harness.get(), gst_event_new_eos());
  EXPECT_TRUE(fs::exists(folder.file("gallery/found/rbc/000002.png")));
  EXPECT_FALSE(fs::exists(folder.file("gallery/found/rbc/000003.png")));
  EXPECT_TRUE(posted(bus, GST_MESSAGE_ERROR).empty());
}

// What can't be written stops the stream with the file's name.
TEST(CellGallery, AFailureIsAnErrorOfTheStream) {
  const TemporaryFolder folder;
  const std::string caps = raw_caps("RGB", 160, 120);
  Harness harness("cellgallery gallery-location=" + folder.file("gallery"));
  const Bus bus(harness.element());
  harness.caps(caps);
  fs::create_directories(folder.file("gallery/cells.csv/in-the-way"));
  harness.push_and_pull(frame(caps, 1));
  gst_harness_push_event(harness.get(), gst_event_new_eos());
  const std::vector<std::string> errors = posted(bus, GST_MESSAGE_ERROR);
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_NE(errors[0].find("cells.csv"), std::string::npos) << errors[0];
}

}  // namespace
}  // namespace smearscope
