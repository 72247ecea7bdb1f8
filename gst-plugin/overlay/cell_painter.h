// What celloverlay does to a frame, without the element around it.
#pragma once

#include <gst/video/video.h>

#include <memory>
#include <optional>
#include <vector>

#include "cell_meta.h"
#include "draw/draw.h"
#include "overlay/video_canvas.h"

namespace smearscope {

struct CellPainterSettings {
  draw::Options options;
  double min_confidence = 0;  // cells below it are neither drawn nor counted
  unsigned stale_after = 30;  // cells detected more than this many frames ago are dashed; 0: none
};

// One thread at a time.
class CellPainter {
 public:
  explicit CellPainter(const CellPainterSettings& settings);

  // Draws `cells` and the panel on a frame mapped for reading and writing. The panel shows `tally`, families
  // with their kinds and these's shares, and its pixel size and view give a scale bar and a warning; without
  // one the cells in view, listing each class from the first frame on in which it was seen, so that rows
  // don't come and go. Throws nothing but std::bad_alloc.
  void paint(GstVideoFrame* frame, const std::vector<Cell>& cells, const std::optional<Tally>& tally = {});

  // Settings can change at any time; the classes seen so far stay.
  void change(const CellPainterSettings& settings);

 private:
  void count(const std::vector<draw::ShownCell>& shown);

  CellPainterSettings settings_;
  std::unique_ptr<draw::Overlay> overlay_;
  draw::Painter painter_;
  VideoCanvas canvas_;
  draw::Panel tally_panel_;
  draw::Panel panel_;  // of the cells in view
};

}  // namespace smearscope
