// Where on the slide the picture is, told by the cells in it.
#pragma once

#include <optional>
#include <vector>

#include "tally/cell_map.h"

namespace smearscope {

// By how much `found` must be moved to lie on `known`, where they lie nearly right already: the median of the
// ways from each to its nearest known centre, as far as that is within half a cell. Nothing where that is
// fewer than four.
std::optional<Place> small_correction(const std::vector<SlideBox>& found, const std::vector<SlideBox>& known);

struct FoundPlace {
  Place way;
  std::size_t agree = 0;  // of the cells found
};

// Moved by about `way`, corrected by the median of what then lies near: how many of `found` lie on known
// cells, each within an eighth of a cell.
FoundPlace settle(const std::vector<SlideBox>& found, const CellMap& map, const Place& way);

// Likewise from anywhere on the map: the move with which most of `found` lie on known cells, each within an
// eighth of a cell. Nothing unless so many agree as would on the whole map once in a thousand times by
// chance if cells lay anyhow: six of six on a map of a hundred cells, nine of ten or sixteen of forty on
// one of ten thousand; and unless a quarter fewer agree anywhere else, for cells are packed alike.
// Looks at the newest 50,000 known cells, but those in `except`, and takes some 2 to 20 us for each.
std::optional<FoundPlace> find_place(const std::vector<SlideBox>& found, const CellMap& map,
                                     const SlideBox& except = {});

}  // namespace smearscope
