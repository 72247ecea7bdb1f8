// The box head's outputs -> detections of one image
// (torchvision/models/detection/roi_heads.py, postprocess_detections; transform.py, postprocess).
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "ops/device.h"
#include "ops/kinds.h"
#include "ops/nms.h"
#include "ops/transform.h"
#include "smearscope/detector.h"

namespace smearscope::ops {

inline constexpr float smallest_detection_side = 1e-2F;

SMEARSCOPE_HOST_DEVICE inline float largest_of(const float* values, int count) {
  float largest = values[0];
  for (int i = 1; i < count; ++i) largest = larger(largest, values[i]);
  return largest;
}

// Softmax of `logits` in place, in float32, with the largest subtracted first.
void softmax(float* logits, int count);

// What `label` scores: the sum of its kinds' softmax, which rounding may not bring above 1. The same bits as
// from softmax.
SMEARSCOPE_HOST_DEVICE inline float score_at(const float* logits, int count, KindsView kinds, int label) {
  const float largest = largest_of(logits, count);
  float sum = 0, of_kinds = 0;
  for (int i = 0; i < count; ++i) sum += std::exp(logits[i] - largest);
  for (int i = kinds.first[label]; i < kinds.first[label + 1]; ++i)
    of_kinds += std::exp(logits[kinds.kinds[i] + 1] - largest) / sum;
  return smaller(of_kinds, 1.0F);  // a NaN stays one
}

// A box of the network's input in pixels of the frame.
SMEARSCOPE_HOST_DEVICE inline Box scale_box(const Box& box, Size resized, Size frame) {
  const float x = static_cast<float>(frame.width) / static_cast<float>(resized.width);
  const float y = static_cast<float>(frame.height) / static_cast<float>(resized.height);
  return {box.x_min * x, box.y_min * y, box.x_max * x, box.y_max * y};
}

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
// background's first. Softmax, summed over each class's `kinds`; a class other than background whose score is
// strictly above thresholds.score is decoded from its proposal with the deltas of its likeliest kind, clipped
// to `resized` (the unpadded input), dropped if a side is below 1e-2, thinned by NMS per class; the best
// thresholds.max_detections stay. Order: falling score, then label, then proposal. Boxes are scaled to
// `frame`.
void postprocess_cpu(const std::vector<Box>& proposals, const float* outputs, int classes, KindsView kinds,
                     Size resized, Size frame, const Thresholds& thresholds, PostprocessScratch& scratch,
                     Detections& detections);

// One image of a batch, for kernels.
struct DeviceSelection {
  Size resized, frame;
  float score_threshold = 0, nms_threshold = 0;  // rounded down to float, see round_down
  int max_detections = 0;
  KindsView kinds;  // in device memory
};

// The result for one image. `count` is what NMS left; of these the best min(count, max_detections,
// most_detections) are in `best`, in the CPU's order. Where that is not all that was asked for,
// kept_detections has it.
inline constexpr int most_detections = 1024;
struct DeviceDetections {
  int count = 0;
  Detection best[most_detections];
};

// What postprocess_cuda works with, in device memory. The contents need not be set.
struct DevicePostprocessScratch {
  unsigned long long* class_keys = nullptr;  // [images][classes][proposals_each]
  Box* class_boxes = nullptr;                // the same
  unsigned* class_counts = nullptr;          // [images][classes], then kept_counts: cleared as one
  unsigned* kept_counts = nullptr;           // [images]
  unsigned long long* kept_keys =
      nullptr;                // [images][classes * proposals_each]: score, then label and proposal
  Box* kept_boxes = nullptr;  // the same; pixels of the frame

  static DevicePostprocessScratch take(DeviceBlock& block, int images, int classes, int proposals_each);
};

// The same as postprocess_cpu for a batch; image i has counts[i] proposals, at proposals[i * proposals_each].
// `outputs` is [images][proposals_each][row_floats], of which 5 (classes + 1) are used. proposals_each is at
// most most_sorted. All in device memory. Runs on `stream`, does not wait.
void postprocess_cuda(const Box* proposals, const int* counts, int images, int proposals_each,
                      const float* outputs, int row_floats, int classes, const DeviceSelection* selections,
                      const DevicePostprocessScratch& scratch, DeviceDetections* detections,
                      DeviceStream stream);

// All that NMS kept of one image, downloaded from kept_keys and kept_boxes, in the CPU's order; at most
// `max_detections`.
Detections sort_detections(const std::vector<unsigned long long>& keys, const std::vector<Box>& boxes,
                           int proposals_each, int max_detections);

}  // namespace smearscope::ops
