#include "ops/postprocess.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/box_coder.h"

namespace smearscope::ops {
namespace {

using Candidate = PostprocessScratch::Candidate;

void collect_candidates(const std::vector<Box>& proposals, const float* outputs, int classes, KindsView kinds,
                        Size resized, double score_threshold, PostprocessScratch& scratch) {
  const int logits = classes + 1;
  scratch.candidates.clear();
  scratch.scores.resize(logits);
  for (std::size_t i = 0; i < proposals.size(); ++i, outputs += 5 * logits) {
    std::copy(outputs, outputs + logits, scratch.scores.begin());
    softmax(scratch.scores.data(), logits);
    for (int label = 0; label < classes; ++label) {
      float sum = 0;
      for (int k = kinds.first[label]; k < kinds.first[label + 1]; ++k)
        sum += scratch.scores[kinds.kinds[k] + 1];
      const float score = smaller(sum, 1.0F);
      if (!(score > score_threshold)) continue;
      const int kind = likeliest_kind(outputs, kinds, label);
      const float* deltas = outputs + logits + 4 * static_cast<std::ptrdiff_t>(kind + 1);
      const Box box = clip_box(decode_box(proposals[i], deltas, box_head_coder), resized);
      if (is_at_least(box, smallest_detection_side))
        scratch.candidates.push_back({box, score, label, static_cast<int>(i)});
    }
  }
}

// Thins scratch.candidates in place; they are sorted by label, then falling score.
void suppress_per_class(double threshold, PostprocessScratch& scratch) {
  std::vector<Candidate>& candidates = scratch.candidates;
  std::size_t written = 0;  // never beyond what has been read
  for (std::size_t begin = 0, end = 0; begin < candidates.size(); begin = end) {
    scratch.boxes.clear();
    for (end = begin; end < candidates.size() && candidates[end].label == candidates[begin].label; ++end)
      scratch.boxes.push_back(candidates[end].box);
    scratch.kept.clear();
    nms_cpu(scratch.boxes.data(), static_cast<int>(scratch.boxes.size()), threshold,
            std::numeric_limits<std::size_t>::max(), scratch.kept, scratch.nms);
    for (const std::uint32_t i : scratch.kept) candidates[written++] = candidates[begin + i];
  }
  candidates.resize(written);
}

}  // namespace

void softmax(float* logits, int count) {
  const float largest = largest_of(logits, count);
  float sum = 0;
  for (int i = 0; i < count; ++i) sum += logits[i] = std::exp(logits[i] - largest);
  for (int i = 0; i < count; ++i) logits[i] /= sum;
}

void postprocess_cpu(const std::vector<Box>& proposals, const float* outputs, int classes, KindsView kinds,
                     Size resized, Size frame, const Thresholds& thresholds, PostprocessScratch& scratch,
                     Detections& detections) {
  collect_candidates(proposals, outputs, classes, kinds, resized, thresholds.score, scratch);
  std::vector<Candidate>& found = scratch.candidates;
  std::sort(found.begin(), found.end(), [](const Candidate& a, const Candidate& b) {
    if (a.label != b.label) return a.label < b.label;
    return a.score != b.score ? a.score > b.score : a.proposal < b.proposal;
  });
  suppress_per_class(thresholds.nms, scratch);
  std::sort(found.begin(), found.end(), [](const Candidate& a, const Candidate& b) {
    if (a.score != b.score) return a.score > b.score;
    return a.label != b.label ? a.label < b.label : a.proposal < b.proposal;
  });
  const auto wanted = static_cast<std::size_t>(std::max(thresholds.max_detections, 0));
  if (found.size() > wanted) found.resize(wanted);

  detections.clear();
  for (const Candidate& candidate : found)
    detections.push_back({scale_box(candidate.box, resized, frame), candidate.score, candidate.label});
}

}  // namespace smearscope::ops
