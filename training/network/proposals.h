// The region proposal network's decisions, without gradient: anchors of a batch, proposals, and what to train
// on.
#pragma once

#include <vector>

#include "network/boxes.h"
#include "smearscope/model.h"

namespace smearscope::training {

struct AnchorLevel {
  std::vector<Box> cells;  // anchors around (0, 0), of every position
  Size grid;               // positions
  Size stride;             // pixels from one to the next
};

// All anchors of one padded image size, level after level, within a level in the order y, x, cell.
struct AnchorSet {
  std::vector<Box> boxes;
  std::vector<int> level_sizes;  // how many of them belong to P2..P6
  std::vector<AnchorLevel> levels;
};
AnchorSet make_anchors(const Architecture& architecture, const std::vector<Size>& grids, Size image);

// Ranges of anchors, ascending; all others have no point in common with `box`. Of a set without levels: all.
std::vector<IndexRange> anchors_near(const AnchorSet& anchors, const Box& box);

struct ProposalLimits {
  int pre_nms_top_n = 0;   // per level
  int post_nms_top_n = 0;  // per image
  double nms_threshold = 0.7;
};

// One image's proposals, best first (torchvision/models/detection/rpn.py, filter_proposals).
// logits: one per anchor; deltas: four per anchor; `image` is the resized size without padding.
std::vector<Box> propose(const AnchorSet& anchors, const float* logits, const float* deltas, Size image,
                         const ProposalLimits& limits);

}  // namespace smearscope::training
