// What to learn from a batch: checked ground truth, and the anchors and proposals sampled for the losses.
#pragma once

#include <cstdint>
#include <vector>

#include "network/boxes.h"
#include "network/faster_rcnn.h"

namespace smearscope::training {

// One image's ground truth.
struct Objects {
  std::vector<Box> boxes;
  std::vector<std::int64_t> labels;  // 1-based class of each
};

// Throws smearscope::Error naming image `index` and the box, if `target` breaks its contract (faster_rcnn.h).
Objects checked_objects(const Target& target, std::size_t index, int class_count);
void resize_objects(Objects& objects, Size from, Size to);

// Anchors of the whole batch: index = image x anchors per image + anchor.
struct RpnSamples {
  std::vector<std::int64_t> anchors;  // positives first, then negatives
  std::vector<float> deltas;          // 4 per positive, in the same order: what the RPN should answer
};
RpnSamples sample_anchors(const std::vector<Box>& anchors, const std::vector<Objects>& objects,
                          const TrainingSettings& settings, RandomGenerator& random);

// Rows run through the images in order, and within one by proposal index.
struct RoiSamples {
  std::vector<std::vector<Box>> boxes;      // per image
  std::vector<std::int64_t> labels;         // per row: class, 0 for background
  std::vector<std::int64_t> positive_rows;  // rows whose label is not 0
  std::vector<float> deltas;                // 4 per positive row
};
// Ground truth boxes are appended to the proposals (roi_heads.py, select_training_samples).
RoiSamples sample_proposals(std::vector<std::vector<Box>> proposals, const std::vector<Objects>& objects,
                            const TrainingSettings& settings, RandomGenerator& random);

}  // namespace smearscope::training
