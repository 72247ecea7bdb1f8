// Drawing on a mapped GStreamer video frame of any raw format, in place.
#pragma once

#include <gst/video/video.h>

#include <cstdint>
#include <vector>

#include "draw/paint.h"

namespace smearscope {

// Whether VideoCanvas can draw on the format: every raw format that GStreamer can pack, except palettes.
bool can_draw_on(GstVideoFormat format);

// Most formats are drawn on where they lie. Those with several samples in a word (RGB16, v210, tiles, ...)
// are unpacked, drawn on and packed again, only in rows where there is something to draw.
class VideoCanvas {
 public:
  // `frame` must be mapped for reading and writing, and its format one that can be drawn on.
  void paint(GstVideoFrame* frame, const std::vector<draw::Item>& items, draw::Painter& painter);

 private:
  void paint_unpacked(GstVideoFrame* frame, const std::vector<draw::Item>& items, draw::Painter& painter);

  std::vector<std::uint8_t> unpacked_;  // the frame in its format's unpack format
};

}  // namespace smearscope
