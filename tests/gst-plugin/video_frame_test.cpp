#include "detection/video_frame.h"

#include <gtest/gtest.h>

#include <cstring>

#include "detection/frame_copy.h"
#include "smearscope/error.h"

namespace smearscope {
namespace {

GstVideoInfo info_of(const char* format, int width, int height, const char* colorimetry = nullptr) {
  GstCaps* caps = gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING, format, "width", G_TYPE_INT,
                                      width, "height", G_TYPE_INT, height, nullptr);
  if (colorimetry) gst_caps_set_simple(caps, "colorimetry", G_TYPE_STRING, colorimetry, nullptr);
  GstVideoInfo info;
  EXPECT_TRUE(gst_video_info_from_caps(&info, caps));
  gst_caps_unref(caps);
  return info;
}

// A buffer in which each plane's byte at (x, y) is a known function of plane, x and y; `padding` bytes end
// each row.
GstBuffer* patterned(const GstVideoInfo& info, int padding) {
  gsize offsets[GST_VIDEO_MAX_PLANES] = {};
  gint strides[GST_VIDEO_MAX_PLANES] = {};
  gsize total = 0;
  for (guint plane = 0; plane < GST_VIDEO_INFO_N_PLANES(&info); ++plane) {
    offsets[plane] = total;
    strides[plane] = GST_VIDEO_INFO_PLANE_STRIDE(&info, plane) + padding;
    total += static_cast<gsize>(strides[plane]) * static_cast<gsize>(GST_VIDEO_INFO_HEIGHT(&info) + 1);
  }
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, total, nullptr);
  GstMapInfo map;
  gst_buffer_map(buffer, &map, GST_MAP_WRITE);
  for (guint plane = 0; plane < GST_VIDEO_INFO_N_PLANES(&info); ++plane) {
    for (int y = 0; y <= GST_VIDEO_INFO_HEIGHT(&info); ++y) {
      for (int x = 0; x < strides[plane]; ++x) {
        map.data[offsets[plane] + static_cast<gsize>(y * strides[plane] + x)] =
            static_cast<guint8>(plane * 71 + static_cast<guint>(x * 3 + y * 17));
      }
    }
  }
  gst_buffer_unmap(buffer, &map);
  gst_buffer_add_video_meta_full(buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_INFO_FORMAT(&info),
                                 static_cast<guint>(GST_VIDEO_INFO_WIDTH(&info)),
                                 static_cast<guint>(GST_VIDEO_INFO_HEIGHT(&info)),
                                 GST_VIDEO_INFO_N_PLANES(&info), offsets, strides);
  return buffer;
}

struct Format {
  const char* name;
  PixelFormat engine_format;
  int row_bytes[3];  // of a 7x5 frame
  int rows[3];
};
const Format formats[] = {
    {"RGB", PixelFormat::rgb, {21}, {5}},
    {"BGR", PixelFormat::bgr, {21}, {5}},
    {"RGBA", PixelFormat::rgba, {28}, {5}},
    {"RGBx", PixelFormat::rgba, {28}, {5}},
    {"BGRA", PixelFormat::bgra, {28}, {5}},
    {"BGRx", PixelFormat::bgra, {28}, {5}},
    {"GRAY8", PixelFormat::gray8, {7}, {5}},
    {"NV12", PixelFormat::nv12, {7, 8}, {5, 3}},
    {"I420", PixelFormat::i420, {7, 4, 4}, {5, 3, 3}},
};

// Every byte of every plane is seen and copied, at an odd size and whatever the stride.
TEST(VideoFrame, EveryFormatAtOddSizeAndAnyStride) {
  for (const Format& format : formats) {
    for (const int padding : {0, 13}) {
      SCOPED_TRACE(format.name);
      const GstVideoInfo info = info_of(format.name, 7, 5);
      GstBuffer* buffer = patterned(info, padding);
      {
        const MappedFrame mapped(buffer, info);
        EXPECT_EQ(mapped.view().format, format.engine_format);
        EXPECT_EQ(mapped.view().width, 7);
        EXPECT_EQ(mapped.view().height, 5);
        FrameCopy copy;
        copy.assign(mapped.view());
        for (const Frame* frame : {&mapped.view(), &copy.view()}) {
          for (std::size_t plane = 0; plane < GST_VIDEO_INFO_N_PLANES(&info); ++plane) {
            for (int y = 0; y < format.rows[plane]; ++y) {
              for (int x = 0; x < format.row_bytes[plane]; ++x) {
                ASSERT_EQ(frame->planes[plane].data[y * frame->planes[plane].stride + x],
                          static_cast<std::uint8_t>(plane * 71 + static_cast<std::size_t>(x * 3 + y * 17)));
              }
            }
          }
        }
      }
      gst_buffer_unref(buffer);
    }
  }
}

// A copy stays as it was when the buffer's memory is used again.
TEST(VideoFrame, CopyOwnsItsPixels) {
  std::uint8_t pixel = 7;
  Frame frame;
  frame.format = PixelFormat::gray8;
  frame.width = frame.height = 1;
  frame.planes[0] = {&pixel, 1};
  FrameCopy copy;
  copy.assign(frame);
  pixel = 9;
  EXPECT_EQ(copy.view().planes[0].data[0], 7);
}

// What the caps say of colour is what the engine is told; where they say nothing, size decides, as in
// GStreamer.
TEST(VideoFrame, ColorimetryIsTakenFromCaps) {
  const auto color = [](const char* colorimetry, int height) {
    return yuv_color(info_of("NV12", 64, height, colorimetry));
  };
  EXPECT_EQ(color("bt601", 48).matrix, YuvColor::Matrix::bt601);
  EXPECT_FALSE(color("bt601", 48).full_range);
  EXPECT_EQ(color("bt709", 48).matrix, YuvColor::Matrix::bt709);
  EXPECT_EQ(color("bt2020", 48).matrix, YuvColor::Matrix::bt709);
  EXPECT_TRUE(color("1:4:0:0", 48).full_range);
  EXPECT_EQ(color(nullptr, 480).matrix, YuvColor::Matrix::bt601);
  EXPECT_EQ(color(nullptr, 1080).matrix, YuvColor::Matrix::bt709);
}

// A buffer with fewer bytes than its caps promise is refused, not read beyond its end.
TEST(VideoFrame, ShortBufferIsRefused) {
  const GstVideoInfo info = info_of("RGB", 16, 16);
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, 100, nullptr);
  try {
    const MappedFrame mapped(buffer, info);
    ADD_FAILURE() << "mapped";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "a buffer of 100 bytes is not a 16x16 frame of format RGB");
  }
  gst_buffer_unref(buffer);
}

}  // namespace
}  // namespace smearscope
