// celloverlay on every raw format: what it draws, and what it leaves as it was.
#include <gst/check/gstharness.h>
#include <gst/video/video.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "cell_meta.h"
#include "draw/palette.h"
#include "overlay/video_canvas.h"

namespace smearscope {
namespace {

struct UnrefBuffer {
  void operator()(GstBuffer* buffer) const { gst_buffer_unref(buffer); }
};
using Buffer = std::unique_ptr<GstBuffer, UnrefBuffer>;

std::vector<GstVideoFormat> all_drawable() {
  guint count = 0;
  const GstVideoFormat* all = gst_video_formats_raw(&count);
  std::vector<GstVideoFormat> formats;
  for (guint i = 0; i < count; ++i) {
    if (can_draw_on(all[i])) formats.push_back(all[i]);
  }
  return formats;
}

GstVideoInfo info_of(GstVideoFormat format, int width, int height) {
  GstVideoInfo info;
  gst_video_info_set_format(&info, format, static_cast<guint>(width), static_cast<guint>(height));
  info.fps_n = 30;
  info.fps_d = 1;
  return info;
}

// The frame as packed RGB in bytes, converted by GStreamer without dither and with chroma repeated, not
// interpolated.
struct RgbImage {
  int width = 0;
  std::vector<guint8> data;
  const guint8* at(int x, int y) const { return data.data() + 4 * (static_cast<std::size_t>(y) * width + x); }
};

void convert(const GstVideoInfo& from, GstBuffer* in, const GstVideoInfo& to, GstBuffer* out) {
  GstVideoFrame source, target;
  ASSERT_TRUE(gst_video_frame_map(&source, &from, in, GST_MAP_READ));
  ASSERT_TRUE(gst_video_frame_map(&target, &to, out, GST_MAP_WRITE));
  GstVideoConverter* converter = gst_video_converter_new(
      &from, &to,
      gst_structure_new("options", GST_VIDEO_CONVERTER_OPT_DITHER_METHOD, GST_TYPE_VIDEO_DITHER_METHOD,
                        GST_VIDEO_DITHER_NONE, GST_VIDEO_CONVERTER_OPT_CHROMA_RESAMPLER_METHOD,
                        GST_TYPE_VIDEO_RESAMPLER_METHOD, GST_VIDEO_RESAMPLER_METHOD_NEAREST, nullptr));
  gst_video_converter_frame(converter, &source, &target);
  gst_video_converter_free(converter);
  gst_video_frame_unmap(&source);
  gst_video_frame_unmap(&target);
}

RgbImage to_rgb(const GstVideoInfo& info, GstBuffer* buffer) {
  const int width = GST_VIDEO_INFO_WIDTH(&info), height = GST_VIDEO_INFO_HEIGHT(&info);
  const GstVideoInfo rgb = info_of(GST_VIDEO_FORMAT_RGBx, width, height);
  const Buffer converted(gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&rgb), nullptr));
  convert(info, buffer, rgb, converted.get());
  RgbImage image{width, std::vector<guint8>(GST_VIDEO_INFO_SIZE(&rgb))};
  gst_buffer_extract(converted.get(), 0, image.data.data(), image.data.size());
  return image;
}

// A light pink smear with a soft gradient.
Buffer new_frame(const GstVideoInfo& info) {
  const int width = GST_VIDEO_INFO_WIDTH(&info), height = GST_VIDEO_INFO_HEIGHT(&info);
  const GstVideoInfo rgb = info_of(GST_VIDEO_FORMAT_RGBx, width, height);
  std::vector<guint8> pixels(GST_VIDEO_INFO_SIZE(&rgb));
  for (std::size_t i = 0; i < pixels.size() / 4; ++i) {
    const auto shade =
        static_cast<guint8>(i % static_cast<std::size_t>(width) * 16 / static_cast<std::size_t>(width));
    const guint8 pixel[4] = {static_cast<guint8>(224 + shade), static_cast<guint8>(190 + shade), 200, 255};
    std::memcpy(pixels.data() + 4 * i, pixel, 4);
  }
  const Buffer source(gst_buffer_new_memdup(pixels.data(), pixels.size()));
  Buffer frame(gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&info), nullptr));
  gst_buffer_memset(frame.get(), 0, 0, GST_VIDEO_INFO_SIZE(&info));
  convert(rgb, source.get(), info, frame.get());
  return frame;
}

std::vector<guint8> bytes_of(GstBuffer* buffer) {
  std::vector<guint8> bytes(gst_buffer_get_size(buffer));
  gst_buffer_extract(buffer, 0, bytes.data(), bytes.size());
  return bytes;
}

// A celloverlay between two test pads. `options` as in gst-launch.
class Overlay {
 public:
  Overlay(const GstVideoInfo& info, const std::string& options) {
    harness_ = gst_harness_new_parse(("celloverlay " + options).c_str());
    gst_harness_set_src_caps(harness_, gst_video_info_to_caps(&info));
  }
  ~Overlay() { gst_harness_teardown(harness_); }
  Overlay(const Overlay&) = delete;
  Overlay& operator=(const Overlay&) = delete;

  Buffer draw(Buffer frame) { return Buffer(gst_harness_push_and_pull(harness_, frame.release())); }
  GstHarness* harness() { return harness_; }

 private:
  GstHarness* harness_;
};

int distance(const guint8* pixel, draw::Color color) {
  return std::max(
      {std::abs(pixel[0] - color.red), std::abs(pixel[1] - color.green), std::abs(pixel[2] - color.blue)});
}

class EveryFormat : public testing::TestWithParam<GstVideoFormat> {};

std::string format_name(const testing::TestParamInfo<GstVideoFormat>& param) {
  return gst_video_format_to_string(param.param);
}

INSTANTIATE_TEST_SUITE_P(CellOverlay, EveryFormat, testing::ValuesIn(all_drawable()), format_name);

// The middle of each side has the class's colour, to the precision of the format; far from the box nothing
// changes.
TEST_P(EveryFormat, BoxHasItsColorAndTheRestIsUntouched) {
  // GStreamer's own UYVP converter writes past the end of an odd row.
  const int width = GetParam() == GST_VIDEO_FORMAT_UYVP ? 160 : 161;
  const GstVideoInfo info = info_of(GetParam(), width, 121);
  Overlay overlay(info, "show-counts=false show-labels=false show-scores=false line-width=8");
  Buffer frame = new_frame(info);
  const RgbImage before = to_rgb(info, frame.get());
  // 80 pixels wide, so that the line's full width of 8 is used; it runs outside the box.
  attach_cells(frame.get(), {{{40, 20, 120, 100}, 0.9, 2, "platelet", 0}});
  const Buffer drawn = overlay.draw(std::move(frame));
  ASSERT_NE(drawn, nullptr);
  const RgbImage after = to_rgb(info, drawn.get());

  draw::Color expected = draw::class_color(2, "platelet");
  const bool grey = GST_VIDEO_FORMAT_INFO_IS_GRAY(info.finfo);
  if (grey) {
    const double luma = 0.299 * expected.red + 0.587 * expected.green + 0.114 * expected.blue;
    expected = {static_cast<guint8>(luma), static_cast<guint8>(luma), static_cast<guint8>(luma)};
  }
  const int points[4][2] = {{36, 60}, {124, 60}, {80, 16}, {80, 104}};
  for (const auto& point : points) {
    EXPECT_LE(distance(after.at(point[0], point[1]), expected), 10) << "at " << point[0] << ", " << point[1];
  }
  for (int y = 0; y < 121; ++y) {
    for (int x = 0; x < width; ++x) {
      const bool near = x >= 24 && x < 136 && y >= 4 && y < 116 && !(x >= 48 && x < 112 && y >= 28 && y < 92);
      if (near) continue;
      ASSERT_EQ(std::memcmp(after.at(x, y), before.at(x, y), 3), 0) << "at " << x << ", " << y;
    }
  }
}

// Frames too small for anything come out whole, whatever is attached.
TEST_P(EveryFormat, TinyFramesPass) {
  for (const int width : {1, 2, 3, 5, 16}) {
    for (const int height : {1, 2, 3, 16}) {
      const GstVideoInfo info = info_of(GetParam(), width, height);
      Overlay overlay(info, "font-scale=0.25");
      Buffer frame(gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&info), nullptr));
      gst_buffer_memset(frame.get(), 0, 0x40, GST_VIDEO_INFO_SIZE(&info));
      const auto right = static_cast<float>(width), bottom = static_cast<float>(height);
      attach_cells(frame.get(),
                   {{{0, 0, right, bottom}, 0.9, 0, "wbc", 0}, {{0, 0, 1, 1}, 0.9, 1, "rbc", 99}});
      const Buffer drawn = overlay.draw(std::move(frame));
      ASSERT_NE(drawn, nullptr) << width << "x" << height;
      EXPECT_EQ(gst_buffer_get_size(drawn.get()), GST_VIDEO_INFO_SIZE(&info));
    }
  }
}

// Without cells and panel not a byte changes, in any format.
TEST_P(EveryFormat, NothingToDrawChangesNothing) {
  const GstVideoInfo info = info_of(GetParam(), GetParam() == GST_VIDEO_FORMAT_UYVP ? 34 : 35, 17);
  Overlay overlay(info, "show-counts=false");
  Buffer frame = new_frame(info);
  const std::vector<guint8> before = bytes_of(frame.get());
  const Buffer drawn = overlay.draw(std::move(frame));
  ASSERT_NE(drawn, nullptr);
  EXPECT_EQ(bytes_of(drawn.get()), before);
}

// A format that can't be drawn on (a palette) is refused in negotiation.
TEST(CellOverlay, PaletteIsRefused) {
  GstHarness* harness = gst_harness_new("celloverlay");
  GstCaps* accepted = gst_pad_query_caps(GST_PAD_PEER(harness->srcpad), nullptr);
  GstCaps* palette = gst_caps_from_string("video/x-raw, format=RGB8P, width=32, height=32, framerate=30/1");
  GstCaps* plain = gst_caps_from_string("video/x-raw, format=BGRx, width=32, height=32, framerate=30/1");
  EXPECT_FALSE(gst_caps_can_intersect(accepted, palette));
  EXPECT_TRUE(gst_caps_can_intersect(accepted, plain));
  gst_caps_unref(accepted);
  gst_caps_unref(palette);
  gst_caps_unref(plain);
  gst_harness_teardown(harness);
}

// Rows may be longer than the picture and planes may lie anywhere: the bytes between are not ours.
TEST(CellOverlay, PaddingOfRowsIsUntouched) {
  constexpr int width = 33, height = 21, stride = 80;
  const GstVideoInfo info = info_of(GST_VIDEO_FORMAT_NV12, width, height);
  gsize offsets[GST_VIDEO_MAX_PLANES] = {64, 64 + stride * 40};
  gint strides[GST_VIDEO_MAX_PLANES] = {stride, stride};
  const gsize size = offsets[1] + stride * 30;
  Buffer frame(gst_buffer_new_allocate(nullptr, size, nullptr));
  gst_buffer_memset(frame.get(), 0, 0x80, size);
  gst_buffer_add_video_meta_full(frame.get(), GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_NV12, width, height,
                                 2, offsets, strides);
  attach_cells(frame.get(),
               {{{0, 0, width, height}, 0.9, 0, "wbc", 0}, {{8, 8, 24, 16}, 0.9, 2, "platelet", 0}});
  Overlay overlay(info, "font-scale=0.25");
  const Buffer drawn = overlay.draw(std::move(frame));
  ASSERT_NE(drawn, nullptr);
  const std::vector<guint8> bytes = bytes_of(drawn.get());
  int changed = 0;
  for (gsize i = 0; i < size; ++i) {
    const bool luma =
        i >= offsets[0] && i < offsets[0] + stride * height && (i - offsets[0]) % stride < width;
    const bool chroma = i >= offsets[1] && i < offsets[1] + stride * ((height + 1) / 2) &&
                        (i - offsets[1]) % stride < width + 1;
    changed += (luma || chroma) && bytes[i] != 0x80;
    if (luma || chroma) continue;
    ASSERT_EQ(bytes[i], 0x80) << "at byte " << i;
  }
  EXPECT_GT(changed, 50);
}

// Regions that make no sense are left out; the good one among them is drawn.
TEST(CellOverlay, SenselessRegionsAreLeftOut) {
  const GstVideoInfo info = info_of(GST_VIDEO_FORMAT_RGBx, 200, 100);
  Overlay overlay(info, "show-counts=false show-labels=false show-scores=false line-width=4");
  Buffer frame = new_frame(info);
  const std::vector<guint8> before = bytes_of(frame.get());
  // As another element might attach them.
  const auto attach = [&frame](guint x, guint y, guint width, guint height) {
    GstVideoRegionOfInterestMeta* meta =
        gst_buffer_add_video_region_of_interest_meta(frame.get(), "rbc", x, y, width, height);
    gst_video_region_of_interest_meta_add_param(
        meta,
        gst_structure_new("detection", "confidence", G_TYPE_DOUBLE, 0.9, "label_id", G_TYPE_INT, 1, nullptr));
  };
  attach(50, 50, 0, 30);
  attach(300, 10, 100, 40);
  attach(G_MAXUINT, G_MAXUINT, G_MAXUINT, G_MAXUINT);
  Buffer drawn = overlay.draw(std::move(frame));
  ASSERT_NE(drawn, nullptr);
  EXPECT_EQ(bytes_of(drawn.get()), before);

  frame = new_frame(info);
  attach(0, 0, G_MAXUINT, G_MAXUINT);
  attach(60, 20, 80, 60);
  drawn = overlay.draw(std::move(frame));
  ASSERT_NE(drawn, nullptr);
  EXPECT_EQ(distance(to_rgb(info, drawn.get()).at(58, 50), draw::class_color(1, "rbc")), 0);
}

// A label is a plate of the class's colour with text that contrasts with it.
TEST(CellOverlay, LabelIsLegible) {
  const GstVideoInfo info = info_of(GST_VIDEO_FORMAT_RGBx, 640, 480);
  Overlay overlay(info, "show-counts=false show-boxes=false");
  Buffer frame = new_frame(info);
  attach_cells(frame.get(), {{{200, 200, 400, 400}, 0.97, 1, "rbc", 0}});
  const Buffer drawn = overlay.draw(std::move(frame));
  ASSERT_NE(drawn, nullptr);
  const RgbImage image = to_rgb(info, drawn.get());
  const draw::Color plate = draw::class_color(1, "rbc");
  int plate_pixels = 0, ink_pixels = 0;
  for (int y = 200; y < 220; ++y) {
    for (int x = 200; x < 280; ++x) {
      plate_pixels += distance(image.at(x, y), plate) < 24;
      ink_pixels += distance(image.at(x, y), draw::contrasting(plate)) < 40;
    }
  }
  EXPECT_GT(plate_pixels, 250);
  EXPECT_GT(ink_pixels, 60);
  EXPECT_GT(plate_pixels, ink_pixels);
}

// A weak class has its question mark in the label and in the panel of what is in view.
TEST(CellOverlay, WeakClassesAreMarked) {
  const GstVideoInfo info = info_of(GST_VIDEO_FORMAT_RGBx, 640, 480);
  const auto drawn = [&info](const char* properties, bool weak) {
    Overlay overlay(info, properties);
    Buffer frame = new_frame(info);
    Cell cell{{300, 200, 500, 400}, 0.9, 1, "rbc", 0};
    cell.weak = weak;
    attach_cells(frame.get(), {cell});
    return bytes_of(overlay.draw(std::move(frame)).get());
  };
  EXPECT_NE(drawn("show-counts=false", true), drawn("show-counts=false", false));
  EXPECT_NE(drawn("show-labels=false", true), drawn("show-labels=false", false));
  EXPECT_EQ(drawn("show-counts=false show-labels=false", true),
            drawn("show-counts=false show-labels=false", false));
}

// The panel counts cells at or above min-confidence; below it they are not drawn either.
TEST(CellOverlay, MinConfidenceHidesCells) {
  const GstVideoInfo info = info_of(GST_VIDEO_FORMAT_RGBx, 640, 480);
  const auto draw_with = [&info](double confidence) {
    Overlay overlay(info, "min-confidence=0.5");
    Buffer first = new_frame(info);
    attach_cells(first.get(), {{{300, 200, 400, 300}, 0.9, 1, "rbc", 0}});
    overlay.draw(std::move(first));
    Buffer frame = new_frame(info);
    attach_cells(frame.get(), {{{300, 200, 400, 300}, confidence, 1, "rbc", 0}});
    return bytes_of(overlay.draw(std::move(frame)).get());
  };
  EXPECT_EQ(draw_with(0.49), draw_with(0.1));
  EXPECT_NE(draw_with(0.5), draw_with(0.49));
}

// A cell last detected long ago is dashed: gaps along its side show the picture.
TEST(CellOverlay, StaleCellsAreDashed) {
  const GstVideoInfo info = info_of(GST_VIDEO_FORMAT_RGBx, 200, 200);
  const auto line_pixels = [&info](unsigned age) {
    Overlay overlay(info,
                    "show-counts=false show-labels=false show-scores=false line-width=4 stale-after=10");
    Buffer frame = new_frame(info);
    attach_cells(frame.get(), {{{50, 50, 150, 150}, 0.9, 1, "rbc", age}});
    const RgbImage image = to_rgb(info, overlay.draw(std::move(frame)).get());
    int count = 0;
    for (int x = 50; x < 150; ++x) count += distance(image.at(x, 48), draw::class_color(1, "rbc")) == 0;
    return count;
  };
  EXPECT_EQ(line_pixels(10), 100);
  EXPECT_NEAR(line_pixels(11), 50, 15);
}

// Properties take effect on the next frame, in the middle of a stream, and so does a new size.
TEST(CellOverlay, ChangesWhilePlaying) {
  GstVideoInfo info = info_of(GST_VIDEO_FORMAT_I420, 320, 240);
  Overlay overlay(info, "show-counts=false");
  const auto draws = [&] {
    Buffer frame = new_frame(info);
    const std::vector<guint8> before = bytes_of(frame.get());
    attach_cells(frame.get(), {{{50, 50, 150, 150}, 0.9, 1, "rbc", 0}});
    const Buffer drawn = overlay.draw(std::move(frame));
    return drawn != nullptr && bytes_of(drawn.get()) != before;
  };
  EXPECT_TRUE(draws());
  gst_harness_set(overlay.harness(), "celloverlay", "show-boxes", FALSE, "show-labels", FALSE, "show-scores",
                  FALSE, nullptr);
  EXPECT_FALSE(draws());
  gst_harness_set(overlay.harness(), "celloverlay", "font", "Monospace", "font-scale", 2.0, "show-boxes",
                  TRUE, nullptr);
  EXPECT_TRUE(draws());
  info = info_of(GST_VIDEO_FORMAT_BGR, 641, 363);
  gst_harness_set_src_caps(overlay.harness(), gst_video_info_to_caps(&info));
  EXPECT_TRUE(draws());
}

// Time stamps, flags and the cells themselves go on to the next element.
TEST(CellOverlay, BufferKeepsTimesAndCells) {
  const GstVideoInfo info = info_of(GST_VIDEO_FORMAT_I420, 64, 48);
  Overlay overlay(info, "");
  Buffer frame = new_frame(info);
  GST_BUFFER_PTS(frame.get()) = 5 * GST_SECOND;
  GST_BUFFER_DURATION(frame.get()) = GST_SECOND / 30;
  GST_BUFFER_OFFSET(frame.get()) = 7;
  attach_cells(frame.get(), {{{4, 4, 20, 20}, 0.75, 1, "rbc", 2}});
  const Buffer drawn = overlay.draw(std::move(frame));
  ASSERT_NE(drawn, nullptr);
  EXPECT_EQ(GST_BUFFER_PTS(drawn.get()), 5 * GST_SECOND);
  EXPECT_EQ(GST_BUFFER_DURATION(drawn.get()), GST_SECOND / 30);
  EXPECT_EQ(GST_BUFFER_OFFSET(drawn.get()), 7U);
  ASSERT_EQ(read_cells(drawn.get()).size(), 1U);
  EXPECT_EQ(read_cells(drawn.get())[0].class_name, "rbc");
}

// Class names from strangers: not UTF-8, endless, with line breaks, and more of them than the panel has room
// for.
TEST(CellOverlay, StrangeClassNamesAreDrawn) {
  const GstVideoInfo info = info_of(GST_VIDEO_FORMAT_RGBx, 640, 480);
  Overlay overlay(info, "");
  Buffer frame = new_frame(info);
  std::vector<Cell> cells{{{10, 200, 200, 400}, 0.9, 0, std::string(10000, 'w'), 0},
                          {{210, 200, 400, 400}, 0.9, 1, "two\nlines\t", 0},
                          {{410, 200, 600, 400}, 0.9, -1, "\xff\xfe\xc0", 0}};
  for (int i = 0; i < 400; ++i)
    cells.push_back({{300, 300, 310, 310}, 0.9, i, "class " + std::to_string(i), 0});
  attach_cells(frame.get(), cells);
  EXPECT_NE(overlay.draw(std::move(frame)), nullptr);
}

}  // namespace
}  // namespace smearscope
