#include "ops/box_coder.h"
#include "ops/proposals.h"
#include "ops/top_k.h"

namespace smearscope::ops {
namespace {

void propose_in_level(const RpnLevel& level, Size image, const Architecture& architecture,
                      ProposalScratch::Level& scratch) {
  const int cells = static_cast<int>(level.anchors->cells.size());
  const std::ptrdiff_t row = static_cast<std::ptrdiff_t>(5) * cells;
  const int count = level.anchors->count();
  scratch.logits.resize(count);
  for (int i = 0; i < count; ++i) scratch.logits[i] = level.outputs[i / cells * row + i % cells];
  top_k(scratch.logits.data(), count, 1, architecture.rpn_pre_nms_top_n, scratch.keys, scratch.best);

  scratch.boxes.clear();
  scratch.scores.clear();
  for (const std::uint32_t i : scratch.best) {
    const float* deltas =
        level.outputs + i / cells * row + cells + static_cast<std::ptrdiff_t>(i % cells) * 4;
    const Box box = clip_box(decode_box(level.anchors->at(static_cast<int>(i)), deltas, rpn_coder), image);
    if (!is_at_least(box, smallest_proposal_side)) continue;
    scratch.boxes.push_back(box);
    scratch.scores.push_back(objectness(scratch.logits[i]));
  }
  scratch.kept.clear();
  nms_cpu(scratch.boxes.data(), static_cast<int>(scratch.boxes.size()), architecture.rpn_nms_threshold,
          architecture.rpn_post_nms_top_n, scratch.kept, scratch.nms);
}

}  // namespace

void propose_cpu(const std::array<RpnLevel, pyramid_levels>& levels, Size image,
                 const Architecture& architecture, ProposalScratch& scratch, std::vector<Box>& proposals) {
#pragma omp parallel for schedule(dynamic, 1)
  for (int i = 0; i < pyramid_levels; ++i)
    propose_in_level(levels[i], image, architecture, scratch.levels[i]);

  scratch.boxes.clear();
  scratch.scores.clear();
  for (const ProposalScratch::Level& level : scratch.levels)
    for (const std::uint32_t i : level.kept) {
      scratch.boxes.push_back(level.boxes[i]);
      scratch.scores.push_back(level.scores[i]);
    }
  top_k(scratch.scores.data(), scratch.scores.size(), 1, architecture.rpn_post_nms_top_n, scratch.keys,
        scratch.order);
  proposals.clear();
  for (const std::uint32_t i : scratch.order) proposals.push_back(scratch.boxes[i]);
}

}  // namespace smearscope::ops
