// What Smearscope's elements attach to a buffer, and how they read it back.
//
// A found cell is one GstVideoRegionOfInterestMeta: roi_type is the class name, x/y/w/h the box rounded to
// pixels, and one params structure
//   detection    {confidence double, label_id int, x_min y_min x_max y_max double, age uint, family string,
//   weak boolean, identity uint64, counted_as string}
// A cell that smeartestsrc painted (ground truth) is likewise a region of interest, with the params structure
//   ground-truth {label_id int, identity uint64, x_min y_min x_max y_max double, slide_x slide_y double,
//   visible double}
// The detection that a frame's cells come from is a custom meta named detection_meta_name, also on a frame
// without cells; none before the first detection
//   {model string, age uint, least_red_cell largest_red_cell double}
// What celltally has counted so far is a custom meta named tally_meta_name, with arrays of one length
//   {classes families grades array of string, labels array of int, counts array of uint64, weak array of
//   boolean, detections out_of_focus unplaced parts uint64, target uint, target_class string, target_count
//   uint64, view frame_view string, pixel_size double, calibrated boolean, platelet_estimate double (where
//   there is one), renamed array of uint64, renamed_to array of string}
// The stage under the frame is a custom meta named stage_meta_name
//   {stage_x double, stage_y double, focus double, pixel_size double}
//
// Boxes are in pixels of the frame and lie inside it: whoever attaches them clips them first. The functions
// may be called from any thread on a buffer that the caller owns; attach_* and remove_* need a writable
// buffer.
#pragma once

#include <gst/gst.h>

#include <optional>
#include <string>
#include <vector>

#include "smearscope/detector.h"

namespace smearscope {

struct Cell {
  Box box;                 // pixels of this frame
  double confidence = 0;   // 0..1
  int label = 0;           // index in the model's classes
  std::string class_name;  // not empty
  unsigned age = 0;        // frames since the one it was detected on; 0: detected on this frame
  // What the class is a kind of, in the end, as a segmented neutrophil is a white cell; the class itself, or
  // empty, if of nothing.
  std::string family{};
  guint64 identity = 0;      // celltally's: the same cell of the slide has the same in every frame; 0: none
  std::string counted_as{};  // the name that celltally counts it under; empty: it does not
  bool weak = false;         // the model often misses or misnames cells of this class
};

// How the picture under the objective looks just now.
enum class View {
  good,             // or too empty to tell
  out_of_focus,     // what is found there is not counted
  too_dark,         // many cells are missed
  cells_too_small,  // at a scale that the model does not know: it misses and misnames cells
  cells_too_large,  // likewise
};
const char* name_of(View view);  // "good", "out-of-focus", "too-dark", "cells-too-small", "cells-too-large"

// Cells of the slide, each counted once.
struct Tally {
  struct Row {
    std::string class_name, family;  // family: as of Cell, not empty
    int label = 0;
    guint64 count = 0;
    std::string grade{};  // of its share of the family, as "2+"; empty: none, or not yet
    bool weak = false;    // as of Cell
  };
  std::vector<Row> rows;     // by label, then name
  guint64 detections = 0;    // that took part
  guint64 out_of_focus = 0;  // detections left out
  guint64 unplaced = 0;      // likewise, because the picture had leapt meanwhile or showed too little
  guint64 parts = 0;         // of the slide, between which the stage could not be followed
  guint target = 0;          // cells of class or family target_class that are to be counted; 0: no target
  std::string target_class;
  guint64 target_count = 0;                   // counted of these so far
  View view = View::good;                     // as the last frames agree
  View frame_view = View::good;               // of this frame alone
  double pixel_size_um = 0;                   // micrometres of slide per pixel of the frame; 0: unknown
  bool calibrated = false;                    // pixel_size_um was given, not told by the red cells
  std::optional<double> platelet_estimate{};  // platelets of the blood, 10^9/L
  // Cells that are counted under another name since the frame before; not in messages.
  struct Rename {
    guint64 identity = 0;
    std::string counted_as;  // empty: it no longer counts
  };
  std::vector<Rename> renames{};
};

struct DetectionOrigin {
  std::string model_digest;  // SHA-256 of the file of the model that looked, in hex; not empty
  unsigned age = 0;          // frames since the one it looked at; 0: this frame
  // Sides of the red cells that the model knows, as shares of the frame's height; 0: it doesn't tell.
  double least_red_cell = 0, largest_red_cell = 0;
};

struct TrueCell {
  Box box;                 // pixels of this frame: the part inside the frame
  int label = 0;           // index in the source's list of classes
  std::string class_name;  // not empty
  guint64 identity = 0;    // the same cell of the slide has the same identity in every frame
  double slide_x_um = 0;   // cell centre on the slide, micrometres
  double slide_y_um = 0;
  double visible = 1;  // share of the whole box's area that is inside the frame, 0..1
};

struct StageState {
  double x_um = 0;  // slide position of the frame's top left corner, micrometres
  double y_um = 0;
  double focus_um = 0;       // distance from best focus, micrometres, signed
  double pixel_size_um = 0;  // micrometres of slide per pixel of the frame
};

inline constexpr const char* detection_meta_name = "SmearscopeDetectionMeta";
inline constexpr const char* stage_meta_name = "SmearscopeStageMeta";
inline constexpr const char* tally_meta_name = "SmearscopeTallyMeta";

void attach_cells(GstBuffer* buffer, const std::vector<Cell>& cells);

// In the order they were attached. A frame that was scaled or cropped after detection gives boxes in its own
// pixels, rounded to whole ones (GStreamer moves the region itself, but not its params).
std::vector<Cell> read_cells(GstBuffer* buffer);

// Removes what attach_cells attached, and nothing else.
void remove_cells(GstBuffer* buffer);

void attach_origin(GstBuffer* buffer, const DetectionOrigin& origin);
std::optional<DetectionOrigin> read_origin(GstBuffer* buffer);  // nothing if the buffer has none

// And what each is counted as. In the order of read_cells; there may be fewer.
void set_identities(GstBuffer* buffer, const std::vector<Cell>& cells);

void attach_tally(GstBuffer* buffer, const Tally& tally);  // in place of one that the buffer has
std::optional<Tally> read_tally(GstBuffer* buffer);        // nothing if the buffer has none

// Whether two tallies tell the same of the slide: all that is in messages but the detections, the place and
// the frame they are of.
bool is_same(const Tally& one, const Tally& other);

// The fields of the custom meta, which element messages have as well, without the renames.
void set_tally(GstStructure* structure, const Tally& tally);
// Nothing if fields are missing, there are more than 256 rows, or they sum up to more than 2^53. An unknown
// view is a good one.
std::optional<Tally> get_tally(const GstStructure* structure);

void set_renames(GstStructure* structure, const std::vector<Tally::Rename>& renames);
std::vector<Tally::Rename> get_renames(const GstStructure* structure);  // none if they are not as set

void attach_true_cells(GstBuffer* buffer, const std::vector<TrueCell>& cells);
std::vector<TrueCell> read_true_cells(GstBuffer* buffer);  // as read_cells

void attach_stage(GstBuffer* buffer, const StageState& stage);
std::optional<StageState> read_stage(GstBuffer* buffer);  // nothing if the buffer has none

}  // namespace smearscope
