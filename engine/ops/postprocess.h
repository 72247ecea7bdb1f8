// The box head's outputs -> detections of one image
// (torchvision/models/detection/roi_heads.py, postprocess_detections; transform.py, postprocess).
#pragma once

#include <cstdint>
#include <vector>

#include "ops/nms.h"
#include "ops/transform.h"
#include "smearscope/detector.h"

namespace smearscope::ops {

inline constexpr float smallest_detection_side = 1e-2F;

// Softmax of `logits` in place, in float32, with the largest subtracted first.
void softmax(float* logits, int count);

struct PostprocessScratch {
  struct Candidate {
    Box box;
    float score;
    int label, proposal;
  };
  std::vector<float> scores;
  std::vector<Candidate> candidates;
  std::vector<Box> boxes;
  std::vector<std::uint32_t> kept;
  NmsScratch nms;
};

// `outputs` is [proposals][5 (classes + 1)]: class logits with background first, then 4 deltas per class,
// background's first. Softmax; a class other than background whose score is strictly above thresholds.score
// is decoded from its proposal, clipped to `resized` (the unpadded input), dropped if a side is below 1e-2,
// thinned by NMS per class; the best thresholds.max_detections stay. Order: falling score, then label, then
// proposal. Boxes are scaled to `frame`.
void postprocess_cpu(const std::vector<Box>& proposals, const float* outputs, int classes, Size resized,
                     Size frame, const Thresholds& thresholds, PostprocessScratch& scratch,
                     Detections& detections);

}  // namespace smearscope::ops
