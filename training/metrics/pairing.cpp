#include "metrics/pairing.h"

#include <algorithm>

#include "metrics/completeness.h"

namespace smearscope::metrics {
namespace {

std::vector<const FoundBox*> shown(const Image& image, double threshold) {
  std::vector<const FoundBox*> boxes;
  for (const FoundBox& found : image.found) {
    if (found.score > threshold) boxes.push_back(&found);
  }
  std::stable_sort(boxes.begin(), boxes.end(),
                   [](const FoundBox* a, const FoundBox* b) { return a->score > b->score; });
  return boxes;
}

// The box to take, as an index; image.truth.size() if there is none.
std::size_t best(const Image& image, const std::vector<bool>& taken, const FoundBox& found) {
  std::size_t chosen = image.truth.size();
  double most = iou_thresholds()[iou_50];
  for (std::size_t i = 0; i < image.truth.size(); ++i) {
    const TruthBox& box = image.truth[i];
    if (taken[i] || box.crowd) continue;
    const double overlapping = overlap(found.box, box.box, false);
    if (overlapping < most) continue;
    const bool first = chosen == image.truth.size();
    const bool own_class_first =
        box.category == found.category && (first || image.truth[chosen].category != found.category);
    if (!first && overlapping == most && !own_class_first) continue;
    most = overlapping;
    chosen = i;
  }
  return chosen;
}

bool counts_for_nothing(const Image& image, const FoundBox& found, Labels labels) {
  const bool in_crowd = std::any_of(image.truth.begin(), image.truth.end(), [&](const TruthBox& box) {
    return box.crowd && overlap(found.box, box.box, true) >= iou_thresholds()[iou_50];
  });
  return in_crowd || (labels == Labels::as_told && may_be_unlabelled(image, found));
}

}  // namespace

std::vector<Pair> pairs_of(const Image& image, Labels labels, double threshold) {
  std::vector<Pair> pairs;
  std::vector<bool> taken(image.truth.size());
  for (const FoundBox* found : shown(image, threshold)) {
    const std::size_t box = best(image, taken, *found);
    if (box < taken.size()) {
      taken[box] = true;
      pairs.push_back({&image.truth[box], found});
    } else if (!counts_for_nothing(image, *found, labels)) {
      pairs.push_back({nullptr, found});
    }
  }
  for (std::size_t i = 0; i < taken.size(); ++i) {
    if (!taken[i] && !image.truth[i].crowd) pairs.push_back({&image.truth[i], nullptr});
  }
  return pairs;
}

}  // namespace smearscope::metrics
