// CellTally: where on the slide the picture is, and which parts of the slide are known.
#include <algorithm>
#include <cmath>

#include "tally/cell_tally.h"
#include "tally/whereabouts.h"

namespace smearscope {
namespace {

constexpr double parts_apart = 1e8;  // pixels of slide between parts without a known way
constexpr double most_are = 0.6, hardly_any = 0.4;
constexpr std::size_t few_alike = 3;  // cells that lie alike at another place are hardly more
constexpr std::size_t most_left = 4;  // places to return to without a search
constexpr std::size_t few = 6;  // cells: of fewer it can't be told whether most are where they should be
constexpr unsigned join_interval = 4;            // detections between looks for another part, at least
constexpr std::size_t cells_a_detection = 1000;  // that are searched, on average

double share_of(std::size_t part, std::size_t all) {
  return static_cast<double>(part) / static_cast<double>(all);
}

std::size_t matched(const std::vector<std::ptrdiff_t>& partners) {
  return static_cast<std::size_t>(
      std::count_if(partners.begin(), partners.end(), [](std::ptrdiff_t partner) { return partner >= 0; }));
}

}  // namespace

void CellTally::leave(bool leapt) {
  leapt_ = leapt || (!placed_ && leapt_);
  if (placed_) {
    left_.push_front(origin_);
    if (left_.size() > most_left) left_.pop_back();
  }
  ++epoch_;
  strays_ = 0;
  placed_ = false;
  in_part_ = 0;
  join_way_.reset();
}

// Settles origin_. False if the picture shows too little to say.
bool CellTally::find_place(const std::vector<Finding>& found, const SlideBox& seen) {
  std::vector<SlideBox> whole;  // of a cut cell the centre is not the cell's
  for (const Finding& finding : found) {
    if (finding.whole) whole.push_back(finding.box);
  }
  if (placed_) {
    const std::vector<SlideBox> known = standing_in(seen);
    // Rather than all cells the detector has failed: dark, or blurred.
    if (known.size() >= few && share_of(whole.size(), known.size()) < hardly_any) return false;
    const Place way = small_correction(whole, known).value_or(Place{});
    std::vector<SlideBox> corrected = whole;
    for (SlideBox& box : corrected) box = box.moved(way.x, way.y);
    const std::size_t agree = matched(match(corrected, known, seen.moved(way.x, way.y)));
    const bool astray = known.size() >= few && share_of(agree, whole.size()) < hardly_any;
    strays_ = astray ? strays_ + 1 : 0;
    if (!astray) {
      move_by(way);
      join_parts(corrected);
    }
    if (strays_ < 2) return !astray;  // once may be the detector's fault
    leave(true);                      // motion has lost the picture without telling
    looks_.back().epoch = epoch_;
  }
  if (map_.size() > 0 && whole.empty()) return false;
  if (!return_to_place(whole)) go_elsewhere();
  return placed_ = true;
}

// Where the picture was before it was lost, or wherever the map shows its cells.
bool CellTally::return_to_place(const std::vector<SlideBox>& whole) {
  // Out of focus and back the picture is likely the same, after a cut it may be any: a cell may lie alike.
  const std::size_t enough = std::max<std::size_t>(
      leapt_ ? few_alike : 1,
      static_cast<std::size_t>(std::ceil(most_are * static_cast<double>(whole.size()))));
  std::vector<Place> ways{{0, 0}};
  for (const Place& origin : left_) ways.push_back({origin.x - origin_.x, origin.y - origin_.y});
  FoundPlace best;
  for (const Place& way : ways) {
    const FoundPlace place = settle(whole, map_, way);
    if (place.agree > best.agree) best = place;
  }
  if (best.agree < enough) {
    const std::optional<FoundPlace> place = smearscope::find_place(whole, map_);
    if (!place) return false;
    best = *place;
  }
  move_by(best.way);
  return true;
}

void CellTally::move_by(const Place& way) {
  origin_ = {origin_.x + way.x, origin_.y + way.y};
  for (Look& look : looks_) {
    if (look.epoch == epoch_) look.origin = {look.origin.x + way.x, look.origin.y + way.y};
  }
}

// A part of the slide of its own, far from all others.
void CellTally::go_elsewhere() {
  if (map_.size() == 0) return;
  ++parts_;
  move_by({parts_apart * static_cast<double>(parts_) - origin_.x, -origin_.y});
}

SlideBox CellTally::own_part() const {
  const double middle = parts_apart * std::round(origin_.x / parts_apart), all = 1e18;
  return {middle - parts_apart / 2, -all, middle + parts_apart / 2, all};
}

// Two parts that the picture shows are one. Twice in a row it has to be so: one look may be chance.
void CellTally::join_parts(const std::vector<SlideBox>& whole) {
  if (parts_ == joined_) return;
  const auto interval = std::max<std::size_t>(join_interval, map_.size() / cells_a_detection);
  if (++in_part_ % interval != 0 && !join_way_) return;
  const std::optional<FoundPlace> place = smearscope::find_place(whole, map_, own_part());
  if (!place || share_of(place->agree, whole.size()) < most_are) return join_way_.reset();
  const bool again =
      join_way_ && std::hypot(place->way.x - join_way_->x, place->way.y - join_way_->y) < largest_side_ / 4;
  join_way_ = place->way;
  if (again) join(place->way);
}

// Moves this part to where it lies in another one. A cell that is known there is that one.
void CellTally::join(const Place& way) {
  const SlideBox own = own_part();
  std::vector<std::pair<std::size_t, std::optional<std::size_t>>> cells;  // here, there
  std::vector<bool> taken(map_.size(), false);
  for (std::size_t here = 0; here < map_.size(); ++here) {
    if (!own.contains(map_[here]) || !(map_[here].width() > 0)) continue;
    const SlideBox box = map_[here].moved(way.x, way.y);
    std::optional<std::size_t> there;
    double best = 0;
    for (const std::size_t other : known_in(box)) {
      const double overlap = taken[other] ? 0 : overlap_of(box, map_[other]);
      if (overlap < least_overlap || overlap <= best) continue;
      best = overlap;
      there = other;
    }
    if (there) taken[*there] = true;
    cells.emplace_back(here, there);
  }
  for (const auto& [here, there] : cells) {
    if (there)
      merge(*there, here);
    else
      map_.move(here, way.x, way.y);
  }
  for (Place& origin : left_) {
    if (own.contains({origin.x, origin.y, origin.x, origin.y})) origin = {origin.x + way.x, origin.y + way.y};
  }
  move_by(way);
  ++joined_;
  join_way_.reset();
}

// What was seen of the one was seen of the other.
void CellTally::merge(std::size_t kept, std::size_t gone) {
  Known& known = known_[kept];
  Known& same = known_[gone];
  known.seen += same.seen;
  known.chances += same.chances;
  for (const Votes& votes : same.votes) {
    if (votes.count > 0) vote(known, votes);
  }
  if (same.counted_as >= 0) --names_[static_cast<std::size_t>(same.counted_as)].count;
  const bool counted = same.counted_as >= 0;
  same = {};
  map_.remove(gone);
  if (counted) tell_name(gone);
  recount(kept);
}

}  // namespace smearscope
