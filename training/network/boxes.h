// Box arithmetic around the network, on plain floats and without gradient: anchors, matcher, sampler, coder,
// NMS. Everything is single precision in torchvision's order of operations, so that decisions agree with it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <utility>
#include <vector>

#include "smearscope/detector.h"

namespace smearscope::training {

struct Size {
  int height = 0, width = 0;
};
inline bool operator==(const Size& a, const Size& b) {
  return a.height == b.height && a.width == b.width;
}

// --- Anchors (torchvision/models/detection/anchor_utils.py) ---

// One level's anchors around (0, 0), sides rounded half to even: ratio-major, then size. ratio = height /
// width.
std::vector<Box> cell_anchors(const std::vector<float>& sizes, const std::vector<float>& ratios);

// Appends the anchors of a `grid`-sized level: centres at multiples of image / grid (integer division), no
// half pixel. Order: y, x, cell anchor.
void append_anchors(const std::vector<Box>& cell, Size grid, Size image, std::vector<Box>& anchors);

// --- Matching and sampling (torchvision/models/detection/_utils.py, Matcher,
// BalancedPositiveNegativeSampler) ---

// Intersection over union; both boxes have positive area.
float iou(const Box& a, const Box& b);

// The share of `box` that lies in `region`, 0..1; `box` has positive area.
float covered_share(const Box& box, const Box& region);

constexpr int below_low_threshold = -1;  // background
constexpr int between_thresholds = -2;   // neither: takes no part in a loss

// Indices first .. end - 1.
struct IndexRange {
  std::size_t first, end;
};
// Where to look for candidates that overlap a box: all others don't. Null: anywhere.
using CandidatesNear = std::function<std::vector<IndexRange>(const Box&)>;

// For each candidate the index of the truth box with the highest IoU (the first of equals) if that is >=
// high, else one of the two constants above. With `low_quality`, each truth box's best candidates (all that
// tie) are matched to their own best truth box even below `high`. No truth: everything is background. `near`
// saves time and changes nothing.
std::vector<int> match(const std::vector<Box>& truth, const std::vector<Box>& candidates, double high,
                       double low, bool low_quality, const CandidatesNear& near = nullptr);

using RandomGenerator = std::mt19937_64;

struct Sample {
  std::vector<std::int64_t> positive, negative;  // indices of candidates, ascending
};

// At most `count` candidates, at most int(count * positive_fraction) of them matched (>= 0), the rest
// background. Drawn without replacement; where there are too few, all are taken.
Sample sample(const std::vector<int>& matches, int count, double positive_fraction, RandomGenerator& random);

// --- Box coder (torchvision/models/detection/_utils.py, BoxCoder) ---

struct CoderWeights {
  float x, y, width, height;
};
constexpr CoderWeights rpn_coder{1, 1, 1, 1};
constexpr CoderWeights box_head_coder{10, 10, 5, 5};

// dx, dy, dw, dh that turn `anchor` into `truth`.
std::array<float, 4> encode(const Box& truth, const Box& anchor, const CoderWeights& weights);
// delta: 4 values. dw and dh are clamped above at log(1000 / 16).
Box decode(const float* delta, const Box& anchor, const CoderWeights& weights);

// --- Proposals ---

Box clip(const Box& box, Size image);
Box scale(const Box& box, float x, float y);
bool has_sides(const Box& box, float at_least);  // both sides

// Greedy non-maximum suppression of `boxes`, best first: a box goes if its IoU with a kept one is above
// `threshold` (torchvision/csrc/ops/cpu/nms_kernel.cpp). Returns at most `at_most` indices, ascending.
std::vector<int> non_maximum_suppression(const std::vector<Box>& boxes, double threshold, int at_most);

// The k highest scores' indices, best first, ties by lower index; all of them if there are fewer than k. NaN
// has no place among them (a diverged training reaches this before its loss is looked at).
std::vector<int> top_k(const float* scores, int count, int k);

}  // namespace smearscope::training
