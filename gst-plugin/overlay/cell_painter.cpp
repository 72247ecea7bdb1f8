#include "overlay/cell_painter.h"

#include <algorithm>
#include <tuple>

#include "overlay/tally_panel.h"

namespace smearscope {

// Class names come from metadata that anyone may have attached: a bound on how many are remembered.
constexpr std::size_t max_panel_rows = 256;

CellPainter::CellPainter(const CellPainterSettings& settings) {
  panel_.headline = "Cells in view";
  change(settings);
}

void CellPainter::change(const CellPainterSettings& settings) {
  settings_ = settings;
  overlay_ = std::make_unique<draw::Overlay>(settings.options);
}

void CellPainter::count(const std::vector<draw::ShownCell>& shown) {
  for (draw::ClassCount& row : panel_.rows) row.count = 0;
  const auto before = [](const draw::ClassCount& row, const draw::ShownCell& cell) {
    return std::tie(row.label, row.class_name) < std::tie(cell.label, cell.class_name);
  };
  for (const draw::ShownCell& cell : shown) {
    auto row = std::lower_bound(panel_.rows.begin(), panel_.rows.end(), cell, before);
    const bool known =
        row != panel_.rows.end() && row->label == cell.label && row->class_name == cell.class_name;
    if (!known && panel_.rows.size() == max_panel_rows) continue;
    if (!known) row = panel_.rows.insert(row, {cell.class_name, cell.label, 0});
    ++row->count;
    row->weak = cell.weak;
  }
}

void CellPainter::paint(GstVideoFrame* frame, const std::vector<Cell>& cells,
                        const std::optional<Tally>& tally) {
  std::vector<draw::ShownCell> shown;
  shown.reserve(cells.size());
  for (const Cell& cell : cells) {
    // Written so that a confidence that is not a number is not shown.
    if (!(cell.confidence >= settings_.min_confidence)) continue;
    const bool stale = settings_.stale_after > 0 && cell.age > settings_.stale_after;
    shown.push_back({cell.box, cell.confidence, cell.label, cell.class_name, stale, cell.weak});
  }
  count(shown);
  const int width = GST_VIDEO_FRAME_WIDTH(frame), height = GST_VIDEO_FRAME_HEIGHT(frame);
  if (tally) tally_panel_ = panel_of(*tally);
  const draw::Panel& panel = tally ? tally_panel_ : panel_;
  const draw::Caption caption = tally ? caption_of(*tally) : draw::Caption{};
  canvas_.paint(frame, overlay_->compose(width, height, shown, panel, caption), painter_);
}

}  // namespace smearscope
