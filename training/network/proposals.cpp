#include "network/proposals.h"

#include <algorithm>
#include <cmath>

namespace smearscope::training {

AnchorSet make_anchors(const Architecture& architecture, const std::vector<Size>& grids, Size image) {
  AnchorSet anchors;
  for (std::size_t level = 0; level < grids.size(); ++level) {
    const std::size_t before = anchors.boxes.size();
    const std::vector<Box> cells = cell_anchors(architecture.anchor_sizes[level], architecture.anchor_ratios);
    append_anchors(cells, grids[level], image, anchors.boxes);
    anchors.level_sizes.push_back(static_cast<int>(anchors.boxes.size() - before));
    anchors.levels.push_back(
        {cells, grids[level], {image.height / grids[level].height, image.width / grids[level].width}});
  }
  return anchors;
}

namespace {

// Positions first .. end - 1 along one axis, whose anchors reach from position * stride + low to position *
// stride + high, that may touch from..to; a position to spare on both sides, for what is rounded.
IndexRange positions_near(float from, float to, float low, float high, int stride, int count) {
  const double first = std::floor((double{from} - high) / stride) - 1;
  const double last = std::ceil((double{to} - low) / stride) + 1;
  return {static_cast<std::size_t>(std::clamp<double>(first, 0, count)),
          static_cast<std::size_t>(std::clamp<double>(last + 1, 0, count))};
}

}  // namespace

std::vector<IndexRange> anchors_near(const AnchorSet& anchors, const Box& box) {
  if (anchors.levels.empty()) return {{0, anchors.boxes.size()}};
  std::vector<IndexRange> near;
  std::size_t level_first = 0;
  for (const AnchorLevel& level : anchors.levels) {
    Box reach;  // of all cells together
    for (const Box& cell : level.cells) {
      reach = {std::min(reach.x_min, cell.x_min), std::min(reach.y_min, cell.y_min),
               std::max(reach.x_max, cell.x_max), std::max(reach.y_max, cell.y_max)};
    }
    const IndexRange columns =
        positions_near(box.x_min, box.x_max, reach.x_min, reach.x_max, level.stride.width, level.grid.width);
    const IndexRange rows = positions_near(box.y_min, box.y_max, reach.y_min, reach.y_max,
                                           level.stride.height, level.grid.height);
    const std::size_t each = level.cells.size(), width = static_cast<std::size_t>(level.grid.width);
    for (std::size_t row = rows.first; row < rows.end && columns.first < columns.end; ++row) {
      near.push_back({level_first + (row * width + columns.first) * each,
                      level_first + (row * width + columns.end) * each});
    }
    level_first += width * static_cast<std::size_t>(level.grid.height) * each;
  }
  return near;
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
