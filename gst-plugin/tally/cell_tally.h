// Counts each cell of a slide once, however often and from wherever it is seen.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cell_meta.h"
#include "detection/motion.h"
#include "smearscope/frame.h"
#include "tally/cell_map.h"
#include "tally/focus.h"
#include "tally/scale.h"

namespace smearscope {

// A cell has a place on the slide: that of its box, moved by the stage's motion (MotionEstimator), which the
// cells seen before correct (whereabouts.h). A detection of a cell that is known there is one more look at
// it.
//
// - A cell cut by the picture's edge waits until it is whole.
// - It counts while it is found on at least half of the detections that saw its whole place.
// - It goes by the name under which it was found most often.
// - Detections on frames out of focus count for nothing.
// - After a cut or a leap of the stage (MotionEstimator::lost) the picture is looked for where it was before,
//   and then on the whole map (whereabouts.h says how many cells that takes); if it isn't found it is taken
//   for a part of the slide not seen yet. With fewer than three cells in it, it is never found.
// - Where a part turns out to show cells of another one, the two are joined, and each cell that was in both
//   counts once. It goes by its identity in the other one from then on.
// - What a late detection saw and the frame that it comes with no longer shows does not count.
//
// One stream's. One thread at a time. Frames in host memory; throws nothing but std::bad_alloc.
class CellTally {
 public:
  explicit CellTally(double least_sharpness) : least_sharpness_(least_sharpness) {}  // 0..1, see FocusGate
  void set_least_sharpness(double least) { least_sharpness_ = least; }

  // The next frame, with the cells found on it or moved to it. `age`: frames since the one they were found
  // on, none where there was no detection yet; each detection counts when it comes for the first time. Sets
  // the identity of each of `cells` that is known, from 1: the same for the same cell in all frames, and none
  // twice on two slides; and the name that it is counted under. Looks at the first 1024 of `cells`.
  void update(const Frame& frame, std::optional<unsigned> age, std::vector<Cell>& cells);

  void new_view();   // the next frame may be from anywhere: a seek, another frame size
  void new_slide();  // forgets all cells and counts

  // By class. Classes once counted stay, with 0 if need be. Without a target. The renames are those of the
  // last update, first names included. The view is what the last five frames agree on; the pixel size is that
  // of RedCellScale, told by whole cells of the class or family "rbc".
  Tally tally() const;

 private:
  // What is known of the stage at one frame.
  struct Look {
    Place origin;         // slide pixels: the picture's top left corner
    std::uint64_t epoch;  // frames of one are connected by motion
    Focus focus;
  };
  struct Votes {
    std::uint16_t name = 0;
    std::uint32_t count = 0;
    float confidence = 0;  // sum
  };
  struct Known {
    std::uint32_t seen = 0, chances = 0;  // detections that found it, that saw its place
    std::array<Votes, 4> votes;           // most cells get one or two names
    int counted_as = -1;                  // name, -1: not counted
  };
  struct Name {
    std::string text, family;
    int label;
    std::uint64_t count;
    bool weak;
  };
  struct Finding {  // a cell of the detection at hand
    SlideBox box;
    const Cell* cell;
    bool whole;
  };

  void look_at(View view);
  void leave(bool leapt);
  bool add(const Look& then, const SlideBox& view, const std::vector<Cell>& cells);
  std::vector<Finding> findings(const SlideBox& view, const std::vector<Cell>& cells) const;
  bool find_place(const std::vector<Finding>& found, const SlideBox& seen);
  bool return_to_place(const std::vector<SlideBox>& whole);
  void move_by(const Place& way);
  void go_elsewhere();
  SlideBox own_part() const;
  void join_parts(const std::vector<SlideBox>& whole);
  void join(const Place& way);
  void merge(std::size_t kept, std::size_t gone);
  void look_again(const std::vector<Finding>& found, const SlideBox& view);
  void see(std::size_t number, const Finding& finding);
  static void vote(Known& known, const Votes& more);
  void recount(std::size_t number);
  void tell_name(std::size_t number);
  int name_of(const Cell& cell);
  void identify(const Frame& frame, std::vector<Cell>& cells) const;
  std::vector<std::size_t> known_in(const SlideBox& view) const;
  std::vector<SlideBox> standing_in(const SlideBox& seen) const;
  std::vector<SlideBox> boxes_of(const std::vector<std::size_t>& numbers) const;

  double least_sharpness_;
  MotionEstimator motion_;
  FocusGate focus_;
  RedCellScale scale_;
  View view_ = View::good, last_view_ = View::good;
  std::vector<Tally::Rename> renames_;  // of the last update
  unsigned same_views_ = 0;             // frames in a row that looked like last_view_

  Place origin_;
  std::uint64_t epoch_ = 0;
  bool placed_ = false;  // origin_ says where on the map the picture is
  bool leapt_ = false;   // not placed because of a cut, not of a picture out of focus
  std::uint64_t parts_ = 0,
                joined_ = 0;       // of the slide, seen without a known way between them, and found later
  unsigned in_part_ = 0;           // detections since the picture was placed
  std::optional<Place> join_way_;  // to another part that showed the cells of the last look as well
  std::deque<Look> looks_;         // the newest last
  std::optional<unsigned> last_age_;
  unsigned strays_ = 0;     // detections in a row that lay nowhere near known cells
  std::deque<Place> left_;  // origins at which the picture was lost, the newest first

  CellMap map_;
  std::vector<Known> known_;  // by number in map_
  double largest_side_ = 0;   // of a cell
  std::vector<Name> names_;
  std::map<std::string, std::uint16_t> numbers_of_names_;
  std::uint64_t first_identity_ = 1;
  std::uint64_t detections_ = 0, out_of_focus_ = 0, unplaced_ = 0;
};

}  // namespace smearscope
