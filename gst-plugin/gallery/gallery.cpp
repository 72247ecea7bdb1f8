#include "gallery/gallery.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace smearscope {
namespace {

constexpr float edge = 1;      // pixels: a box that comes nearer to the frame's edge may have been cut by it
constexpr double still = 1.5;  // pixels by which boxes tremble on one and the same view

Place centre_of(const Box& box) {
  return {(box.x_min + box.x_max) / 2.0, (box.y_min + box.y_max) / 2.0};
}

}  // namespace

Gallery::Gallery(const std::string& folder, unsigned most) : most_(most), writer_(folder) {}

void Gallery::add(const std::vector<Cell>& cells, const Tally& tally, int width, int height,
                  const std::function<cv::Mat()>& picture) {
  follow(tally.renames);
  move_pictures(false);
  if (tally.frame_view != View::good) return;
  GalleryFrame frame;
  for (const Cell& cell : cells) {
    if (cell.identity > 0 && names_.count(cell.identity) == 0 && is_wanted(cell, width, height))
      frame.cells.push_back({cell.identity, cell.counted_as, cell.confidence, cell.box});
  }
  if (frame.cells.empty() || !writer_.ready(!live_)) return;
  frame.picture = picture();
  frame.pixel_size_um = tally.pixel_size_um;
  frame.is_last_view = shows_last_frame(cells, width, height);
  if (!frame.is_last_view) remember(cells, width, height);
  for (const GalleryCell& cell : frame.cells) {
    names_[cell.number] = cell.class_name;
    ++pictures_[cell.class_name];
  }
  writer_.add(std::move(frame));
}

bool Gallery::shows_last_frame(const std::vector<Cell>& cells, int width, int height) const {
  if (width != last_.width || height != last_.height) return false;
  std::vector<double> shifts;
  for (const Cell& cell : cells) {
    const auto before = last_.places.find(cell.identity);
    if (before == last_.places.end()) continue;
    const Place now = centre_of(cell.box);
    shifts.push_back(std::hypot(now.x - before->second.x, now.y - before->second.y));
  }
  if (shifts.empty()) return false;
  const auto middle = shifts.begin() + static_cast<std::ptrdiff_t>(shifts.size() / 2);
  std::nth_element(shifts.begin(), middle, shifts.end());
  return *middle <= still;
}

void Gallery::remember(const std::vector<Cell>& cells, int width, int height) {
  last_ = {width, height, {}};
  for (const Cell& cell : cells) {
    if (cell.identity > 0) last_.places[cell.identity] = centre_of(cell.box);
  }
}

void Gallery::finish() {
  move_pictures(true);
  writer_.finish();
}

void Gallery::follow(const std::vector<Tally::Rename>& renames) {
  for (const auto& [identity, counted_as] : renames) {
    const auto known = names_.find(identity);
    if (known == names_.end()) continue;
    moves_[identity] = counted_as;
    if (counted_as.empty() || counted_as == known->second) continue;
    --pictures_[known->second];
    ++pictures_[counted_as];
    known->second = counted_as;
  }
}

void Gallery::move_pictures(bool wait) {
  while (!moves_.empty() && writer_.ready(wait)) {
    const auto first = moves_.begin();
    writer_.rename(first->first, first->second);
    moves_.erase(first);
  }
}

bool Gallery::is_wanted(const Cell& cell, int width, int height) const {
  const Box& box = cell.box;
  const bool whole = box.x_min >= edge && box.y_min >= edge &&
                     box.x_max <= static_cast<float>(width) - edge &&
                     box.y_max <= static_cast<float>(height) - edge && box.x_max > box.x_min &&
                     box.y_max > box.y_min;  // what is not a number is none of this
  if (cell.counted_as.empty() || !whole) return false;
  const auto pictures = pictures_.find(cell.counted_as);
  return pictures == pictures_.end() || pictures->second < most_;
}

}  // namespace smearscope
