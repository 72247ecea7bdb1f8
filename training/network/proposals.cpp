#include "network/proposals.h"

#include <algorithm>
#include <cmath>

namespace smearscope::training {

AnchorSet make_anchors(const Architecture& architecture, const std::vector<Size>& grids, Size image) {
  AnchorSet anchors;
  for (std::size_t level = 0; level < grids.size(); ++level) {
    const std::size_t before = anchors.boxes.size();
    append_anchors(cell_anchors(architecture.anchor_sizes[level], architecture.anchor_ratios), grids[level],
                   image, anchors.boxes);
    anchors.level_sizes.push_back(static_cast<int>(anchors.boxes.size() - before));
  }
  return anchors;
}

std::vector<Box> propose(const AnchorSet& anchors, const float* logits, const float* deltas, Size image,
                         const ProposalLimits& limits) {
  struct Scored {
    Box box;
    float score;
  };
  constexpr float least_side = 1e-3F;
  std::vector<Scored> kept;
  int first = 0;
  for (int level_size : anchors.level_sizes) {
    std::vector<Box> boxes;
    std::vector<float> scores;
    for (int rank : top_k(logits + first, level_size, limits.pre_nms_top_n)) {
      const int anchor = first + rank;
      const Box box = clip(decode(deltas + anchor * 4, anchors.boxes[anchor], rpn_coder), image);
      if (!has_sides(box, least_side)) continue;
      boxes.push_back(box);
      scores.push_back(1 / (1 + std::exp(-logits[anchor])));
    }
    for (int i : non_maximum_suppression(boxes, limits.nms_threshold, limits.post_nms_top_n)) {
      kept.push_back({boxes[i], scores[i]});
    }
    first += level_size;
  }
  std::stable_sort(kept.begin(), kept.end(),
                   [](const Scored& a, const Scored& b) { return a.score > b.score; });
  kept.resize(std::min(kept.size(), static_cast<std::size_t>(limits.post_nms_top_n)));
  std::vector<Box> boxes;
  for (const Scored& scored : kept) boxes.push_back(scored.box);
  return boxes;
}

}  // namespace smearscope::training
