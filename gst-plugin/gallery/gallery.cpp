#include "gallery/gallery.h"

#include <utility>

namespace smearscope {
namespace {

constexpr float edge = 1;  // pixels: a box that comes nearer to the frame's edge may have been cut by it

}  // namespace

Gallery::Gallery(const std::string& folder, unsigned most) : most_(most), writer_(folder) {}

void Gallery::add(const std::vector<Cell>& cells, const Tally& tally, int width, int height,
                  const std::function<cv::Mat()>& picture) {
  GalleryFrame frame;
  for (const Cell& cell : cells) {
    if (cell.identity == 0) continue;
    if (names_.count(cell.identity) > 0)
      follow(cell);
    else if (tally.view == View::good && is_wanted(cell, width, height))
      frame.cells.push_back({cell.identity, cell.counted_as, cell.confidence, cell.box});
  }
  if (frame.cells.empty() || !writer_.ready(!live_)) return;
  frame.picture = picture();
  frame.pixel_size_um = tally.pixel_size_um;
  for (const GalleryCell& cell : frame.cells) {
    names_[cell.number] = cell.class_name;
    ++taken_[cell.class_name];
  }
  writer_.add(std::move(frame));
}

void Gallery::finish() {
  writer_.finish();
}

// The picture goes with the name.
void Gallery::follow(const Cell& cell) {
  std::string& name = names_.at(cell.identity);
  if (name == cell.counted_as || !writer_.ready(!live_)) return;
  name = cell.counted_as;
  writer_.rename(cell.identity, name);
}

bool Gallery::is_wanted(const Cell& cell, int width, int height) const {
  const Box& box = cell.box;
  const bool whole = box.x_min >= edge && box.y_min >= edge &&
                     box.x_max <= static_cast<float>(width) - edge &&
                     box.y_max <= static_cast<float>(height) - edge && box.x_max > box.x_min &&
                     box.y_max > box.y_min;  // what is not a number is none of this
  if (cell.counted_as.empty() || !whole) return false;
  const auto taken = taken_.find(cell.counted_as);
  return taken == taken_.end() || taken->second < most_;
}

}  // namespace smearscope
