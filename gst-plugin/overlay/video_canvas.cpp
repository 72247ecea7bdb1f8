#include "overlay/video_canvas.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace smearscope {
namespace {

using draw::CanvasPlane;
using draw::Component;

bool shares_words(const GstVideoFormatInfo* info, guint a, guint b) {
  return info->plane[a] == info->plane[b] && info->poffset[a] == info->poffset[b];
}

// Whether every sample has a byte or a 16-bit word to itself, at regular distances.
bool is_direct(const GstVideoFormatInfo* info) {
  constexpr guint irregular =
      GST_VIDEO_FORMAT_FLAG_COMPLEX | GST_VIDEO_FORMAT_FLAG_TILED | GST_VIDEO_FORMAT_FLAG_PALETTE;
  if ((info->flags & irregular) != 0) return false;
  // GStreamer 1.22 describes these two otherwise than it packs them: U and V swapped, and the byte order.
  if (info->format == GST_VIDEO_FORMAT_VYUY || info->format == GST_VIDEO_FORMAT_v216) return false;
  for (guint i = 0; i < info->n_components; ++i) {
    const bool byte = info->depth[i] == 8 && info->shift[i] == 0 && info->pixel_stride[i] >= 1;
    const bool word = info->depth[i] > 8 && info->depth[i] + info->shift[i] <= 16 &&
                      info->pixel_stride[i] >= 2 && info->pixel_stride[i] % 2 == 0 &&
                      info->poffset[i] % 2 == 0;
    if (!byte && !word) return false;
    for (guint j = 0; j < i; ++j) {
      if (shares_words(info, i, j) || info->depth[i] != info->depth[j]) return false;
    }
  }
  return true;
}

// Code values of component `index` for R, G, B in 0..1: ITU-R BT.601/709/2020 matrices as the caps name them.
Component encoding_of(const GstVideoFormatInfo* format, const GstVideoColorimetry& colorimetry, guint index) {
  Component c;
  if (index == GST_VIDEO_COMP_A) {
    c.constant = static_cast<float>((1 << format->depth[index]) - 1);
    return c;
  }
  gint offset[GST_VIDEO_MAX_COMPONENTS], scale[GST_VIDEO_MAX_COMPONENTS];
  gst_video_color_range_offsets(colorimetry.range, format, offset, scale);
  const auto base = static_cast<float>(offset[index]), span = static_cast<float>(scale[index]);
  if (GST_VIDEO_FORMAT_INFO_IS_RGB(format)) {
    return {0,
            1,
            0,
            base,
            index == GST_VIDEO_COMP_R ? span : 0,
            index == GST_VIDEO_COMP_G ? span : 0,
            index == GST_VIDEO_COMP_B ? span : 0};
  }
  gdouble kr = 0.299, kb = 0.114;
  if (!gst_video_color_matrix_get_Kr_Kb(colorimetry.matrix, &kr, &kb)) {
    kr = 0.299;  // no matrix in the caps: BT.601
    kb = 0.114;
  }
  const double kg = 1 - kr - kb;
  const auto mixed = [&](double red, double green, double blue, double divisor) {
    const auto part = [&](double weight) { return static_cast<float>(span * weight / divisor); };
    return Component{0, 1, 0, base, part(red), part(green), part(blue)};
  };
  switch (index) {
    case GST_VIDEO_COMP_U:
      return mixed(-kr, -kg, 1 - kb, 2 * (1 - kb));
    case GST_VIDEO_COMP_V:
      return mixed(1 - kr, -kg, -kb, 2 * (1 - kr));
    default:
      return mixed(kr, kg, kb, 1);
  }
}

draw::Canvas direct_canvas(const GstVideoFrame* frame) {
  const GstVideoFormatInfo* format = frame->info.finfo;
  draw::Canvas canvas{GST_VIDEO_FRAME_WIDTH(frame), GST_VIDEO_FRAME_HEIGHT(frame), {}};
  canvas.planes.resize(format->n_planes);
  for (guint i = 0; i < format->n_components; ++i) {
    CanvasPlane& plane = canvas.planes[format->plane[i]];
    const int sample_bytes = format->depth[i] == 8 ? 1 : 2;
    plane.data = static_cast<std::uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(frame, format->plane[i]));
    plane.stride = GST_VIDEO_FRAME_PLANE_STRIDE(frame, format->plane[i]);
    plane.row_shift = static_cast<int>(format->h_sub[i]);
    plane.bits = static_cast<int>(format->depth[i]);
    plane.low_bits = static_cast<int>(format->shift[i]);
    plane.big_endian = sample_bytes == 2 && (format->flags & GST_VIDEO_FORMAT_FLAG_LE) == 0;
    Component c = encoding_of(format, frame->info.colorimetry, i);
    c.first = format->poffset[i] / sample_bytes;
    c.step = format->pixel_stride[i] / sample_bytes;
    c.column_shift = static_cast<int>(format->w_sub[i]);
    plane.components.push_back(c);
  }
  for (CanvasPlane& plane : canvas.planes) {
    int shift = 0;
    for (const Component& c : plane.components) shift = std::max(shift, c.column_shift);
    const int step = plane.components.front().step << (shift - plane.components.front().column_shift);
    const int whole = ((canvas.width + (1 << shift) - 1) >> shift) * step;
    // With an odd width the last, half used group of a packed 4:2:2 format may reach past the row.
    plane.row_samples =
        std::min<int>(whole, std::abs(static_cast<int>(plane.stride)) / (plane.bits == 8 ? 1 : 2));
  }
  return canvas;
}

// Rows that items touch, widened to whole chroma rows of 2^row_shift.
std::vector<bool> touched_rows(const std::vector<draw::Item>& items, int height, int row_shift) {
  std::vector<bool> touched(static_cast<std::size_t>(height), false);
  const int group = 1 << row_shift;
  for (const draw::Item& item : items) {
    const int first = std::max(0, item.y) & ~(group - 1);
    const int last = std::min(height, (item.y + item.height + group - 1) & ~(group - 1));
    for (int y = first; y < last; ++y) touched[y] = true;
  }
  return touched;
}

}  // namespace

bool can_draw_on(GstVideoFormat format) {
  const GstVideoFormatInfo* info = gst_video_format_get_info(format);
  if (info == nullptr || info->n_components == 0) return false;
  if (is_direct(info)) return true;
  const bool palette = (info->flags & GST_VIDEO_FORMAT_FLAG_PALETTE) != 0;
  return !palette && info->unpack_func != nullptr && info->pack_func != nullptr;
}

void VideoCanvas::paint(GstVideoFrame* frame, const std::vector<draw::Item>& items, draw::Painter& painter) {
  if (is_direct(frame->info.finfo)) {
    painter.paint(direct_canvas(frame), items);
  } else {
    paint_unpacked(frame, items, painter);
  }
}

void VideoCanvas::paint_unpacked(GstVideoFrame* frame, const std::vector<draw::Item>& items,
                                 draw::Painter& painter) {
  const GstVideoFormatInfo* format = frame->info.finfo;
  const GstVideoFormatInfo* wide = gst_video_format_get_info(format->unpack_format);
  const int height = GST_VIDEO_FRAME_HEIGHT(frame);
  int width = GST_VIDEO_FRAME_WIDTH(frame);
  // GStreamer 1.22 packs a UYVP row's last, half used group past the row's end.
  if (format->format == GST_VIDEO_FORMAT_UYVP) width &= ~1;
  const int sample_bytes = wide->depth[0] == 8 ? 1 : 2;
  const std::size_t stride = static_cast<std::size_t>(width) * 4 * sample_bytes;
  unpacked_.resize(stride * height);

  CanvasPlane plane;
  plane.data = unpacked_.data();
  plane.stride = static_cast<std::ptrdiff_t>(stride);
  plane.row_samples = 4 * width;
  plane.bits = 8 * sample_bytes;
  plane.big_endian = sample_bytes == 2 && G_BYTE_ORDER == G_BIG_ENDIAN;
  for (guint i = 0; i < wide->n_components; ++i) {
    Component c = encoding_of(wide, frame->info.colorimetry, i);
    c.first = wide->poffset[i] / sample_bytes;
    c.step = 4;
    plane.components.push_back(c);
  }

  int row_shift = 0;
  for (guint i = 0; i < format->n_components; ++i) row_shift = std::max<int>(row_shift, format->h_sub[i]);
  const std::vector<bool> touched = touched_rows(items, height, row_shift);
  for (int y = 0; y < height; ++y) {
    if (!touched[y]) continue;
    format->unpack_func(format, GST_VIDEO_PACK_FLAG_NONE, plane.data + y * stride, frame->data,
                        frame->info.stride, 0, y, width);
  }
  painter.paint({width, height, {plane}}, items);
  for (int y = 0; y < height; ++y) {
    if (!touched[y]) continue;
    format->pack_func(format, GST_VIDEO_PACK_FLAG_NONE, plane.data + y * stride, static_cast<gint>(stride),
                      frame->data, frame->info.stride, frame->info.chroma_site, y, width);
  }
}

}  // namespace smearscope
