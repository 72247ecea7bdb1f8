#include "tally/cell_tally.h"

#include <algorithm>
#include <cmath>

namespace smearscope {
namespace {

constexpr std::size_t most_looks = 1024;                   // frames by which a detection may lag
constexpr std::size_t most_cells = std::size_t{1} << 20U;  // some 200 MB
constexpr std::size_t most_names = 256;  // they come from metadata that anyone may have attached
constexpr double farthest = 1e6;         // pixels; a box beyond is none
// A cell nearer to the picture's edge, in pixels and as a share of its side, may be cut by it.
constexpr double edge = 3, edge_share = 0.06;
constexpr std::size_t most_in_view = 4096;   // known cells, those among them that turned out to be none
constexpr std::uint32_t most_chances = 256;  // so that what was long ago does not outvote what is
constexpr std::size_t most_in_frame =
    1024;  // cells; they come from metadata, too, and are matched pair by pair
constexpr unsigned frames_to_agree = 5;
constexpr const char* red_cells = "rbc";

bool is_usable(const Box& box) {
  return std::abs(box.x_min) < farthest && std::abs(box.y_min) < farthest && std::abs(box.x_max) < farthest &&
         std::abs(box.y_max) < farthest && box.x_max > box.x_min && box.y_max > box.y_min;  // NaN is neither
}

SlideBox on_slide(const Box& box, const Place& origin) {
  return SlideBox{box.x_min, box.y_min, box.x_max, box.y_max}.moved(origin.x, origin.y);
}

SlideBox view_from(const Place& origin, const Frame& frame) {
  return {origin.x, origin.y, origin.x + frame.width, origin.y + frame.height};
}

SlideBox common_part(const SlideBox& a, const SlideBox& b) {
  return {std::max(a.x_min, b.x_min), std::max(a.y_min, b.y_min), std::min(a.x_max, b.x_max),
          std::min(a.y_max, b.y_max)};
}

bool is_whole_in(const SlideBox& view, const SlideBox& box) {
  return view.contains(box.grown(std::max(edge, edge_share * std::max(box.width(), box.height()))));
}

}  // namespace

void CellTally::update(const Frame& frame, std::optional<unsigned> age, std::vector<Cell>& cells) {
  renames_.clear();
  const Shift shift = motion_.update(frame);
  const Sharpness sharpness = sharpness_of(frame);
  const Focus focus = focus_.judge(sharpness, least_sharpness_);
  look_at(sharpness.background < dark_background ? View::too_dark
          : focus == Focus::blurred              ? View::out_of_focus
                                                 : View::good);
  if (motion_.lost()) {  // and the shift without meaning
    leave(focus == Focus::sharp && !looks_.empty() && looks_.back().focus == Focus::sharp);
  } else {
    origin_ = {origin_.x - shift.x, origin_.y - shift.y};
  }
  looks_.push_back({origin_, epoch_, focus});
  if (looks_.size() > most_looks) looks_.pop_front();

  const bool anew = age && (!last_age_ || *age <= *last_age_);
  last_age_ = age;
  if (anew) {
    const Look* then = *age < looks_.size() ? &looks_[looks_.size() - 1 - *age] : nullptr;
    if (then && then->focus == Focus::blurred)
      ++out_of_focus_;
    else if (!then || then->focus == Focus::blank || then->epoch != epoch_ ||
             !add(Look(*then), view_from(origin_, frame), cells))
      ++unplaced_;
  }
  identify(frame, cells);
}

// One frame alone says little: of a stage that moves fast, some are blurred.
void CellTally::look_at(View view) {
  same_views_ = view == last_view_ ? same_views_ + 1 : 1;
  last_view_ = view;
  if (same_views_ >= frames_to_agree) view_ = view;
}

// What the frame shows now and showed then was seen whole: cells are cut to the one and moved to the other.
bool CellTally::add(const Look& then, const SlideBox& view, const std::vector<Cell>& cells) {
  const Place lag{then.origin.x - origin_.x, then.origin.y - origin_.y}, before = origin_;
  const SlideBox seen = common_part(view, view.moved(lag.x, lag.y));
  if (!(seen.width() > 0 && seen.height() > 0)) return false;
  std::vector<Finding> found = findings(seen, cells);
  if (!find_place(found, seen)) return false;
  const Place by{origin_.x - before.x, origin_.y - before.y};
  for (Finding& finding : found) finding.box = finding.box.moved(by.x, by.y);
  ++detections_;
  look_again(found, seen.moved(by.x, by.y));
  return true;
}

std::vector<CellTally::Finding> CellTally::findings(const SlideBox& seen,
                                                    const std::vector<Cell>& cells) const {
  std::vector<Finding> found;
  for (const Cell& cell : cells) {
    if (found.size() == most_in_frame) break;
    if (!is_usable(cell.box)) continue;
    const SlideBox box = on_slide(cell.box, origin_);
    found.push_back({box, &cell, is_whole_in(seen, box)});
  }
  return found;
}

void CellTally::look_again(const std::vector<Finding>& found, const SlideBox& view) {
  std::vector<SlideBox> boxes;
  for (const Finding& finding : found) boxes.push_back(finding.box);
  const std::vector<std::size_t> numbers = known_in(view);
  const std::vector<std::ptrdiff_t> partners = match(boxes, boxes_of(numbers), view);
  std::vector<bool> seen(numbers.size(), false);
  const std::size_t most = numbers.size() < most_in_view ? most_in_view - numbers.size() : 0;
  const std::size_t limit = std::min(most_cells, map_.size() + most);
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (partners[i] >= 0) {
      seen[static_cast<std::size_t>(partners[i])] = true;
      see(numbers[static_cast<std::size_t>(partners[i])], found[i]);
    } else if (found[i].whole && map_.size() < limit) {
      known_.emplace_back();
      see(map_.add(boxes[i]), found[i]);
    }
  }
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (seen[i] || !is_whole_in(view, map_[numbers[i]])) continue;
    ++known_[numbers[i]].chances;
    recount(numbers[i]);
  }
}

void CellTally::see(std::size_t number, const Finding& finding) {
  Known& known = known_[number];
  if (!finding.whole) return;  // of a cut cell neither box nor name is to be trusted
  map_.see(number, finding.box);
  largest_side_ = std::max({largest_side_, finding.box.width(), finding.box.height()});
  if (finding.cell->class_name == red_cells || finding.cell->family == red_cells)
    scale_.add(std::sqrt(finding.box.width() * finding.box.height()));
  ++known.seen;
  ++known.chances;
  const int name = name_of(*finding.cell);
  if (name >= 0)
    vote(known, {static_cast<std::uint16_t>(name), 1, static_cast<float>(finding.cell->confidence)});
  recount(number);
}

void CellTally::vote(Known& known, const Votes& more) {
  const auto is_it = [&](const Votes& votes) { return votes.count > 0 && votes.name == more.name; };
  auto votes = std::find_if(known.votes.begin(), known.votes.end(), is_it);
  if (votes == known.votes.end()) {
    votes = std::min_element(known.votes.begin(), known.votes.end(),
                             [](const Votes& a, const Votes& b) { return a.count < b.count; });
    *votes = {more.name, 0, 0};
  }
  votes->count += more.count;
  votes->confidence += more.confidence;
}

void CellTally::recount(std::size_t number) {
  Known& known = known_[number];
  if (known.chances > most_chances) {
    known.seen /= 2;
    known.chances /= 2;
  }
  const auto best =
      std::max_element(known.votes.begin(), known.votes.end(), [](const Votes& a, const Votes& b) {
        return a.count != b.count ? a.count < b.count : a.confidence < b.confidence;
      });
  const bool counts = best->count > 0 && 2 * std::uint64_t{known.seen} >= known.chances;
  const int now = counts ? best->name : -1;
  if (now == known.counted_as) return;
  if (known.counted_as >= 0) --names_[static_cast<std::size_t>(known.counted_as)].count;
  if (now >= 0) ++names_[static_cast<std::size_t>(now)].count;
  known.counted_as = now;
  tell_name(number);
}

void CellTally::tell_name(std::size_t number) {
  const int name = known_[number].counted_as;
  renames_.push_back(
      {first_identity_ + number, name >= 0 ? names_[static_cast<std::size_t>(name)].text : ""});
}

// -1: there are too many already. Where models change, so may what is told of a class.
int CellTally::name_of(const Cell& cell) {
  const auto [at, is_new] = numbers_of_names_.try_emplace(cell.class_name, 0);
  if (is_new && names_.size() == most_names) {
    numbers_of_names_.erase(at);
    return -1;
  }
  if (is_new) {
    at->second = static_cast<std::uint16_t>(names_.size());
    names_.push_back({cell.class_name, "", 0, 0, false});
  }
  Name& name = names_[at->second];
  name.label = cell.label;
  name.family = cell.family.empty() ? cell.class_name : cell.family;
  name.weak = cell.weak;
  return at->second;
}

void CellTally::identify(const Frame& frame, std::vector<Cell>& cells) const {
  for (Cell& cell : cells) {
    cell.identity = 0;
    cell.counted_as.clear();
  }
  if (!placed_) return;
  const SlideBox view = view_from(origin_, frame);
  std::vector<SlideBox> boxes;
  for (std::size_t i = 0; i < std::min(cells.size(), most_in_frame); ++i)
    boxes.push_back(is_usable(cells[i].box) ? on_slide(cells[i].box, origin_) : SlideBox{});
  const std::vector<std::size_t> numbers = known_in(view);
  const std::vector<std::ptrdiff_t> partners = match(boxes, boxes_of(numbers), view);
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    if (partners[i] < 0) continue;
    const std::size_t number = numbers[static_cast<std::size_t>(partners[i])];
    cells[i].identity = first_identity_ + number;
    const int name = known_[number].counted_as;
    if (name >= 0) cells[i].counted_as = names_[static_cast<std::size_t>(name)].text;
  }
}

// All of which a part may be in view.
std::vector<std::size_t> CellTally::known_in(const SlideBox& view) const {
  return map_.in(view.grown(largest_side_ / 2));
}

// Cells that count and lie wholly in `seen`.
std::vector<SlideBox> CellTally::standing_in(const SlideBox& seen) const {
  std::vector<SlideBox> boxes;
  for (const std::size_t number : known_in(seen)) {
    if (known_[number].counted_as >= 0 && is_whole_in(seen, map_[number])) boxes.push_back(map_[number]);
  }
  return boxes;
}

std::vector<SlideBox> CellTally::boxes_of(const std::vector<std::size_t>& numbers) const {
  std::vector<SlideBox> boxes;
  boxes.reserve(numbers.size());
  for (const std::size_t number : numbers) boxes.push_back(map_[number]);
  return boxes;
}

void CellTally::new_view() {
  motion_.reset();
  focus_.reset();
  scale_.reset();
  view_ = last_view_ = View::good;
  same_views_ = 0;
  looks_.clear();
  last_age_.reset();
  leave(true);
}

void CellTally::new_slide() {
  new_view();
  first_identity_ += map_.size();
  map_.clear();
  known_.clear();
  renames_.clear();
  names_.clear();
  numbers_of_names_.clear();
  left_.clear();
  origin_ = {};
  parts_ = joined_ = 0;
  largest_side_ = 0;
  detections_ = out_of_focus_ = unplaced_ = 0;
}

Tally CellTally::tally() const {
  Tally tally;
  for (const auto& [key, number] : numbers_of_names_) {
    const Name& name = names_[number];
    tally.rows.push_back({name.text, name.family, name.label, name.count, "", name.weak});
  }
  std::stable_sort(tally.rows.begin(), tally.rows.end(),
                   [](const Tally::Row& a, const Tally::Row& b) { return a.label < b.label; });
  tally.detections = detections_;
  tally.out_of_focus = out_of_focus_;
  tally.unplaced = unplaced_;
  tally.parts = map_.size() == 0 ? 0 : parts_ + 1 - joined_;
  tally.view = view_;
  tally.frame_view = last_view_;
  tally.renames = renames_;
  tally.pixel_size_um = scale_.pixel_size_um();
  return tally;
}

}  // namespace smearscope
