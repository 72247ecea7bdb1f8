#include "network/boxes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "network/proposals.h"

namespace smearscope::training {
namespace {

std::vector<Box> random_boxes(int count, RandomGenerator& random, float room = 200) {
  std::uniform_real_distribution<float> position(0, room), side(5, 60);
  std::vector<Box> boxes;
  for (int i = 0; i < count; ++i) {
    const float x = position(random), y = position(random);
    boxes.push_back({x, y, x + side(random), y + side(random)});
  }
  return boxes;
}

void expect_box(const Box& box, float x_min, float y_min, float x_max, float y_max, float within = 0) {
  EXPECT_NEAR(box.x_min, x_min, within);
  EXPECT_NEAR(box.y_min, y_min, within);
  EXPECT_NEAR(box.x_max, x_max, within);
  EXPECT_NEAR(box.y_max, y_max, within);
}

// torchvision's cell anchors of size 32, and half a pixel rounded to the even side.
TEST(Anchors, CellAnchorsAreRoundedHalfToEven) {
  const auto cell = cell_anchors({32}, {0.5F, 1, 2});
  ASSERT_EQ(cell.size(), 3U);
  expect_box(cell[0], -23, -11, 23, 11);
  expect_box(cell[1], -16, -16, 16, 16);
  expect_box(cell[2], -11, -23, 11, 23);
  expect_box(cell_anchors({5}, {1})[0], -2, -2, 2, 2);
  expect_box(cell_anchors({7}, {1})[0], -4, -4, 4, 4);
}

TEST(Anchors, RatioIsTheOuterLoopAndSizeTheInner) {
  const auto cell = cell_anchors({16, 32}, {1, 4});
  ASSERT_EQ(cell.size(), 4U);
  expect_box(cell[0], -8, -8, 8, 8);
  expect_box(cell[1], -16, -16, 16, 16);
  expect_box(cell[2], -4, -16, 4, 16);
  expect_box(cell[3], -8, -32, 8, 32);
}

TEST(Anchors, CentresAreMultiplesOfTheIntegerStride) {
  std::vector<Box> anchors;
  append_anchors({{-1, -1, 1, 1}, {-2, -2, 2, 2}}, {13, 3}, {800, 96}, anchors);
  ASSERT_EQ(anchors.size(), 13U * 3 * 2);
  expect_box(anchors[0], -1, -1, 1, 1);
  expect_box(anchors[1], -2, -2, 2, 2);
  expect_box(anchors[2], 31, -1, 33, 1);         // x moves first, by 96 / 3
  expect_box(anchors[6], -1, 60, 1, 62);         // then y, by 800 / 13 = 61
  expect_box(anchors.back(), 62, 730, 66, 734);  // 2 * 32, 12 * 61
}

TEST(Iou, IsIntersectionOverUnion) {
  EXPECT_FLOAT_EQ(iou({0, 0, 2, 2}, {1, 1, 3, 3}), 1.0F / 7);
  EXPECT_EQ(iou({0, 0, 2, 2}, {2, 0, 4, 2}), 0);
  EXPECT_EQ(iou({0, 0, 2, 2}, {0, 0, 2, 2}), 1);
}

// Candidates over a 10 x 10 truth box, sharing its left top corner: their IoU is width / 10.
std::vector<Box> slices(const std::vector<float>& widths) {
  std::vector<Box> boxes;
  for (float width : widths) boxes.push_back({0, 0, width, 10});
  return boxes;
}

TEST(Matcher, ThresholdsBelongToTheUpperSide) {
  const auto matches = match({{0, 0, 10, 10}}, slices({10, 7, 6.9F, 3, 2.9F}), 0.7, 0.3, false);
  const std::vector<int> expected{0, 0, between_thresholds, between_thresholds, below_low_threshold};
  EXPECT_EQ(matches, expected);
}

TEST(Matcher, ACandidateGoesToItsBestTruthBoxTheFirstOfEquals) {
  const std::vector<Box> truth{{0, 0, 10, 10}, {1, 0, 11, 10}, {1, 0, 11, 10}};
  EXPECT_EQ(match(truth, {{0, 0, 10, 10}, {1, 0, 11, 10}}, 0.5, 0.5, false), (std::vector<int>{0, 1}));
}

TEST(Matcher, LowQualityMatchesKeepEveryTruthBoxTrained) {
  const auto candidates = slices({2, 2, 1});
  EXPECT_EQ(match({{0, 0, 10, 10}}, candidates, 0.7, 0.3, false), (std::vector<int>{-1, -1, -1}));
  EXPECT_EQ(match({{0, 0, 10, 10}}, candidates, 0.7, 0.3, true), (std::vector<int>{0, 0, -1}));
}

// A low-quality match restores a candidate's own best truth box, which may be another than the one it is best
// for.
TEST(Matcher, LowQualityMatchGoesToTheCandidatesOwnBest) {
  const std::vector<Box> truth{{0, 0, 10, 10}, {8, 0, 18, 10}};
  const std::vector<Box> candidates{{0, 0, 9, 10}};  // best for both
  EXPECT_EQ(match(truth, candidates, 0.95, 0.3, true), (std::vector<int>{0}));
}

TEST(Matcher, WithoutTruthEverythingIsBackground) {
  EXPECT_EQ(match({}, slices({1, 2}), 0.7, 0.3, true), (std::vector<int>{-1, -1}));
}

// Where to look for overlaps saves time and changes nothing, wherever the truth boxes are.
TEST(Matcher, LooksOnlyAtAnchorsNearby) {
  const AnchorSet anchors =
      make_anchors(Architecture(), {{50, 68}, {25, 34}, {13, 17}, {7, 9}, {4, 5}}, {200, 272});
  RandomGenerator random(5);
  const auto number = [&](double from, double to) {
    return static_cast<float>(from + (to - from) * static_cast<double>(random() >> 11) / 0x1p53);
  };
  std::size_t looked_at = 0, all = 0;
  for (int round = 0; round < 20; ++round) {
    std::vector<Box> truth;
    for (int i = 0; i < 12; ++i) {
      const float x = number(-30, 300), y = number(-30, 230), side = std::exp(number(0, 5));
      truth.push_back({x, y, x + side, y + side * number(0.3, 3)});
    }
    if (round == 0) truth.push_back({5000, 5000, 5010, 5010});  // overlaps none: is best with all
    const CandidatesNear near = [&](const Box& box) {
      const std::vector<IndexRange> ranges = anchors_near(anchors, box);
      for (const IndexRange& range : ranges) looked_at += range.end - range.first;
      all += anchors.boxes.size();
      return ranges;
    };
    EXPECT_EQ(match(truth, anchors.boxes, 0.7, 0.3, true, near), match(truth, anchors.boxes, 0.7, 0.3, true));
  }
  EXPECT_LT(looked_at, all / 2);
}

TEST(Sampler, KeepsToCountFractionAndKind) {
  RandomGenerator random(3);
  std::vector<int> matches(1000, below_low_threshold);
  for (int i = 0; i < 1000; i += 5) matches[i] = i % 3;
  for (int i = 1; i < 1000; i += 5) matches[i] = between_thresholds;
  const Sample chosen = sample(matches, 101, 0.25, random);
  EXPECT_EQ(chosen.positive.size(), 25U);  // int(101 * 0.25)
  EXPECT_EQ(chosen.negative.size(), 76U);
  for (auto i : chosen.positive) EXPECT_GE(matches[i], 0);
  for (auto i : chosen.negative) EXPECT_EQ(matches[i], below_low_threshold);
  for (const auto& part : {chosen.positive, chosen.negative}) {
    EXPECT_TRUE(std::is_sorted(part.begin(), part.end()));
    EXPECT_EQ(std::set<std::int64_t>(part.begin(), part.end()).size(), part.size());
  }
}

TEST(Sampler, FewPositivesLeaveTheirPlaceToNegatives) {
  RandomGenerator random(3);
  std::vector<int> matches(50, below_low_threshold);
  matches[7] = 0;
  Sample chosen = sample(matches, 20, 0.5, random);
  EXPECT_EQ(chosen.positive, (std::vector<std::int64_t>{7}));
  EXPECT_EQ(chosen.negative.size(), 19U);
  chosen = sample(matches, 1000, 0.5, random);
  EXPECT_EQ(chosen.positive.size() + chosen.negative.size(), 50U);
}

TEST(Sampler, SameSeedSameSampleAndAllAreEquallyLikely) {
  const std::vector<int> matches(10, below_low_threshold);
  RandomGenerator one(9), other(9);
  EXPECT_EQ(sample(matches, 4, 0.5, one).negative, sample(matches, 4, 0.5, other).negative);
  std::vector<int> counts(10, 0);
  for (int i = 0; i < 10000; ++i) {
    for (auto index : sample(matches, 4, 0.5, one).negative) ++counts[index];
  }
  for (int count : counts) EXPECT_NEAR(count, 4000, 200);  // standard deviation 49
}

TEST(BoxCoder, DecodeUndoesEncode) {
  RandomGenerator random(5);
  for (const CoderWeights& weights : {rpn_coder, box_head_coder}) {
    const auto truth = random_boxes(50, random), anchors = random_boxes(50, random);
    for (std::size_t i = 0; i < truth.size(); ++i) {
      const Box box = decode(encode(truth[i], anchors[i], weights).data(), anchors[i], weights);
      expect_box(box, truth[i].x_min, truth[i].y_min, truth[i].x_max, truth[i].y_max, 1e-3F);
    }
  }
}

TEST(BoxCoder, WeightsScaleTheDeltas) {
  const auto delta = encode({10, 10, 30, 20}, {0, 0, 20, 20}, box_head_coder);
  EXPECT_FLOAT_EQ(delta[0], 10 * 0.5F);
  EXPECT_FLOAT_EQ(delta[1], 10 * 0.25F);
  EXPECT_FLOAT_EQ(delta[2], 0);
  EXPECT_FLOAT_EQ(delta[3], 5 * std::log(0.5F));
}

TEST(BoxCoder, GrowthIsClampedAndShrinkingIsNot) {
  const float large[4] = {0, 0, 100, -100};
  expect_box(decode(large, {0, 0, 16, 16}, rpn_coder), 8 - 500, 8, 8 + 500, 8, 0.01F);
}

std::vector<int> slow_suppression(const std::vector<Box>& boxes, double threshold) {
  std::vector<int> kept;
  for (int i = 0; i < static_cast<int>(boxes.size()); ++i) {
    if (std::none_of(kept.begin(), kept.end(), [&](int k) { return iou(boxes[k], boxes[i]) > threshold; })) {
      kept.push_back(i);
    }
  }
  return kept;
}

TEST(NonMaximumSuppression, EqualsTheSlowReference) {
  RandomGenerator random(11);
  for (int count : {0, 1, 2, 17, 400}) {
    for (double threshold : {0.0, 0.3, 0.5, 0.7, 1.0}) {
      const auto boxes = random_boxes(count, random);
      EXPECT_EQ(non_maximum_suppression(boxes, threshold, count), slow_suppression(boxes, threshold))
          << count << " boxes at " << threshold;
    }
  }
}

TEST(NonMaximumSuppression, AnIouEqualToTheThresholdStays) {
  const std::vector<Box> boxes{{0, 0, 10, 10}, {0, 0, 5, 10}};  // IoU 0.5
  EXPECT_EQ(non_maximum_suppression(boxes, 0.5, 9).size(), 2U);
  EXPECT_EQ(non_maximum_suppression(boxes, 0.4999, 9).size(), 1U);
}

TEST(NonMaximumSuppression, StopsAtTheLimit) {
  RandomGenerator random(12);
  const auto boxes = random_boxes(100, random, 2000);
  auto all = non_maximum_suppression(boxes, 0.5, 100);
  all.resize(7);
  EXPECT_EQ(non_maximum_suppression(boxes, 0.5, 7), all);
}

TEST(TopK, BestFirstAndTiesByIndex) {
  const float scores[] = {1, 3, 2, 3, 0, 2};
  EXPECT_EQ(top_k(scores, 6, 4), (std::vector<int>{1, 3, 2, 5}));
  EXPECT_EQ(top_k(scores, 6, 99), (std::vector<int>{1, 3, 2, 5, 0, 4}));
}

TEST(TopK, LeavesNanOut) {
  std::vector<float> scores(1000, NAN);
  EXPECT_TRUE(top_k(scores.data(), 1000, 300).empty());
  scores[7] = 1;
  scores[900] = -INFINITY;
  EXPECT_EQ(top_k(scores.data(), 1000, 300), (std::vector<int>{7, 900}));
}

// Levels compete only in the end: boxes of two levels don't suppress each other, and the best of all come
// first.
TEST(Proposals, LevelsAreSuppressedApartAndMergedByScore) {
  AnchorSet anchors;
  anchors.boxes = {{0, 0, 10, 10}, {0, 0, 10, 10}, {0, 0, 10, 10}, {50, 50, 70, 70}};
  anchors.level_sizes = {2, 2};
  const std::vector<float> logits{1, 2, 3, -1}, deltas(16, 0.0F);
  auto boxes = propose(anchors, logits.data(), deltas.data(), {100, 60}, {10, 10, 0.7});
  ASSERT_EQ(boxes.size(), 3U);
  expect_box(boxes[0], 0, 0, 10, 10);    // level 1, logit 3
  expect_box(boxes[1], 0, 0, 10, 10);    // level 0, logit 2; logit 1 is suppressed
  expect_box(boxes[2], 50, 50, 60, 70);  // clipped to the image
  boxes = propose(anchors, logits.data(), deltas.data(), {100, 60}, {10, 2, 0.7});
  EXPECT_EQ(boxes.size(), 2U);
  boxes = propose(anchors, logits.data(), deltas.data(), {100, 60}, {1, 10, 0.7});
  EXPECT_EQ(boxes.size(), 2U);  // one per level
  boxes = propose(anchors, logits.data(), deltas.data(), {100, 50}, {10, 10, 0.7});
  EXPECT_EQ(boxes.size(), 2U);  // the last has no width inside the image
}

}  // namespace
}  // namespace smearscope::training
