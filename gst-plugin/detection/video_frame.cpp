#include "detection/video_frame.h"

#include <string>

#include "smearscope/error.h"

namespace smearscope {
namespace {

PixelFormat pixel_format(const GstVideoInfo& info) {
  switch (GST_VIDEO_INFO_FORMAT(&info)) {
    case GST_VIDEO_FORMAT_RGB:
      return PixelFormat::rgb;
    case GST_VIDEO_FORMAT_BGR:
      return PixelFormat::bgr;
    case GST_VIDEO_FORMAT_RGBA:
    case GST_VIDEO_FORMAT_RGBx:
      return PixelFormat::rgba;
    case GST_VIDEO_FORMAT_BGRA:
    case GST_VIDEO_FORMAT_BGRx:
      return PixelFormat::bgra;
    case GST_VIDEO_FORMAT_GRAY8:
      return PixelFormat::gray8;
    case GST_VIDEO_FORMAT_NV12:
      return PixelFormat::nv12;
    case GST_VIDEO_FORMAT_I420:
      return PixelFormat::i420;
    default:
      throw Error(std::string("frames of format ") + GST_VIDEO_INFO_NAME(&info) +
                  " can't be read; put videoconvert before this element");
  }
}

}  // namespace

YuvColor yuv_color(const GstVideoInfo& info) {
  const GstVideoColorimetry& colorimetry = GST_VIDEO_INFO_COLORIMETRY(&info);
  YuvColor color;
  if (colorimetry.matrix == GST_VIDEO_COLOR_MATRIX_BT709 ||
      colorimetry.matrix == GST_VIDEO_COLOR_MATRIX_BT2020) {
    color.matrix = YuvColor::Matrix::bt709;
  }
  color.full_range = colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255;
  return color;
}

MappedFrame::MappedFrame(GstBuffer* buffer, const GstVideoInfo& info, CudaFrames* cuda) {
  view_.format = pixel_format(info);
  if (cuda) cuda->check(buffer);
  const auto flags = static_cast<GstMapFlags>(GST_MAP_READ | GST_VIDEO_FRAME_MAP_FLAG_NO_REF |
                                              (cuda ? CudaFrames::map_flag : 0));
  if (!gst_video_frame_map(&frame_, &info, buffer, flags)) {
    throw Error("a buffer of " + std::to_string(gst_buffer_get_size(buffer)) + " bytes is not a " +
                std::to_string(GST_VIDEO_INFO_WIDTH(&info)) + "x" +
                std::to_string(GST_VIDEO_INFO_HEIGHT(&info)) + " frame of format " +
                GST_VIDEO_INFO_NAME(&info));
  }
  view_.width = GST_VIDEO_FRAME_WIDTH(&frame_);
  view_.height = GST_VIDEO_FRAME_HEIGHT(&frame_);
  view_.color = yuv_color(info);
  for (guint i = 0; i < GST_VIDEO_FRAME_N_PLANES(&frame_); ++i) {
    view_.planes.at(i) = {static_cast<const std::uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&frame_, i)),
                          GST_VIDEO_FRAME_PLANE_STRIDE(&frame_, i)};
  }
  if (!cuda) return;
  try {
    cuda->settle(buffer, frame_, view_);
  } catch (...) {
    gst_video_frame_unmap(&frame_);
    throw;
  }
}

MappedFrame::~MappedFrame() {
  gst_video_frame_unmap(&frame_);
}

}  // namespace smearscope
