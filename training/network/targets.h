// What to learn from a batch: checked ground truth, and the anchors and proposals sampled for the losses.
#pragma once

#include <cstdint>
#include <vector>

#include "network/boxes.h"
#include "network/faster_rcnn.h"
#include "network/proposals.h"

namespace smearscope::training {

// One image's ground truth.
struct Objects {
  std::vector<Box> boxes;
  std::vector<std::int64_t> labels;  // 1-based class of each
  std::vector<Box> ignore_regions;
  std::vector<int> open_classes;  // 1-based
};

// Throws smearscope::Error naming image `index` and the box, if `target` breaks its contract (faster_rcnn.h).
Objects checked_objects(const Target& target, std::size_t index, int class_count);
void resize_objects(Objects& objects, Size from, Size to);

// `random` has a generator for each image, so that what is drawn for one does not depend on the others.
// Anchors of the whole batch: index = image x anchors per image + anchor.
struct RpnSamples {
  std::vector<std::int64_t> anchors;  // positives first, then negatives
  std::vector<float> deltas;          // 4 per positive, in the same order: what the RPN should answer
};
RpnSamples sample_anchors(const AnchorSet& anchors, const std::vector<Objects>& objects,
                          const TrainingSettings& settings, std::vector<RandomGenerator>& random);

// Rows run through the images in order, and within one by proposal index.
struct RoiSamples {
  std::vector<std::vector<Box>> boxes;  // per image
  std::vector<std::int64_t> labels;     // per row: class, 0 for background
  // Where a row may be one of several classes: per row and class, background first, whether it may be that.
  // Empty where every row has to be its label alone.
  std::vector<std::uint8_t> allowed;
  double own_name_share = 0;  // see TrainingSettings
  // Boxes to learn from: row, class whose deltas it is for, the four deltas, and a weight. A row that may be
  // several classes has an entry for each, of weights that sum up to 1.
  std::vector<std::int64_t> box_rows, box_classes;
  std::vector<float> deltas, box_weights;
};
// Ground truth boxes are appended to the proposals (roi_heads.py, select_training_samples).
RoiSamples sample_proposals(std::vector<std::vector<Box>> proposals, const std::vector<Objects>& objects,
                            int class_count, const TrainingSettings& settings,
                            std::vector<RandomGenerator>& random);

}  // namespace smearscope::training
