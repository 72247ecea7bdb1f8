#include "ops/postprocess.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/box_coder.h"
#include "random_numbers.h"

namespace smearscope::ops {
namespace {

using testing::Random;

double overlap(const Box& a, const Box& b) {
  const float width = std::max(0.0F, std::min(a.x_max, b.x_max) - std::max(a.x_min, b.x_min));
  const float height = std::max(0.0F, std::min(a.y_max, b.y_max) - std::max(a.y_min, b.y_min));
  const float area_a = (a.x_max - a.x_min) * (a.y_max - a.y_min),
              area_b = (b.x_max - b.x_min) * (b.y_max - b.y_min);
  return width * height / (area_a + area_b - width * height);
}

struct Case {
  std::vector<Box> proposals;
  std::vector<float> outputs;
  int classes;
  std::vector<int> parents;  // empty: classes alone
  Case(int count, int classes, Random& random) : classes(classes) {
    for (int i = 0; i < count; ++i) {
      const float x = random.real(0, 200), y = random.real(0, 150);
      proposals.push_back({x, y, x + random.real(1, 60), y + random.real(1, 60)});
    }
    outputs = random.reals(static_cast<std::size_t>(count) * 5 * (classes + 1), -3, 3);
  }
  Detections run(Size resized, Size frame, const Thresholds& thresholds) const {
    PostprocessScratch scratch;
    Detections found{{}, {}};
    postprocess_cpu(proposals, outputs.data(), classes, with_all_kinds(parents, classes).view(), resized,
                    frame, thresholds, scratch, found);
    return found;
  }
};

bool is_within(const Case& c, int kind, int label) {
  if (kind == label) return true;
  const int parent = c.parents.empty() ? -1 : c.parents[static_cast<std::size_t>(kind)];
  return parent >= 0 && is_within(c, parent, label);
}

// Class by class on plain lists, keeping the best free box until none is left.
Detections reference(const Case& c, Size resized, Size frame, const Thresholds& thresholds) {
  Detections all;
  for (int label = 0; label < c.classes; ++label) {
    Detections candidates;
    for (std::size_t i = 0; i < c.proposals.size(); ++i) {
      const float* row = c.outputs.data() + i * 5 * (c.classes + 1);
      std::vector<float> scores(row, row + c.classes + 1);
      softmax(scores.data(), c.classes + 1);
      float score = 0;
      int likeliest = -1;
      for (int kind = 0; kind < c.classes; ++kind) {
        if (!is_within(c, kind, label)) continue;
        score += scores[kind + 1];
        if (likeliest < 0 || row[kind + 1] > row[likeliest + 1]) likeliest = kind;
      }
      const Box box = clip_box(
          decode_box(c.proposals[i], row + (c.classes + 1) + 4 * (likeliest + 1), box_head_coder), resized);
      if (score > thresholds.score && is_at_least(box, 1e-2F)) candidates.push_back({box, score, label});
    }
    std::stable_sort(candidates.begin(), candidates.end(),
                     [](const Detection& a, const Detection& b) { return a.score > b.score; });
    Detections kept;
    for (const Detection& candidate : candidates) {
      bool free = true;
      for (const Detection& other : kept) free = free && overlap(other.box, candidate.box) <= thresholds.nms;
      if (free) kept.push_back(candidate);
    }
    all.insert(all.end(), kept.begin(), kept.end());
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Detection& a, const Detection& b) { return a.score > b.score; });
  all.resize(std::min<std::size_t>(all.size(), thresholds.max_detections));
  const float x = static_cast<float>(frame.width) / static_cast<float>(resized.width);
  const float y = static_cast<float>(frame.height) / static_cast<float>(resized.height);
  for (Detection& found : all)
    found.box = {found.box.x_min * x, found.box.y_min * y, found.box.x_max * x, found.box.y_max * y};
  return all;
}

TEST(Postprocess, EqualsTheReference) {
  Random random(1);
  for (int round = 0; round < 20; ++round) {
    Case c(random.integer(0, 300), random.integer(1, 25), random);
    if (round % 2 == 1) c.parents = testing::random_parents(c.classes, random);
    const Size resized{220, 170}, frame{random.integer(1, 2000), random.integer(1, 2000)};
    const Thresholds thresholds{random.real(0, 0.2F), random.real(0.2F, 0.9F), random.integer(1, 200)};
    const Detections found = c.run(resized, frame, thresholds),
                     expected = reference(c, resized, frame, thresholds);
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_EQ(found[i].label, expected[i].label);
      EXPECT_EQ(found[i].score, expected[i].score);
      EXPECT_EQ(found[i].box.x_min, expected[i].box.x_min);
      EXPECT_EQ(found[i].box.y_max, expected[i].box.y_max);
    }
  }
}

// A cell that is surely white, but of which kind is open, is found as white: with the likeliest kind's box.
TEST(Postprocess, AFamilyIsAsSureAsItsKindsTogether) {
  Random random(1);
  Case c(0, 3, random);  // wbc, lymphocyte, monocyte
  c.parents = {-1, 0, 0};
  c.proposals = {{10, 10, 20, 20}};
  c.outputs.assign(20, 0);
  c.outputs[0] = c.outputs[1] = -20;  // neither background nor wbc
  c.outputs[3] = 0.01F;               // monocyte, a little rather than lymphocyte
  c.outputs[4 + 4 * 3] = 5;           // whose box lies to the right: dx = 5 / 10 of the width
  const Detections found = c.run({100, 100}, {100, 100}, {0.6, 0.5, 100});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].label, 0);
  EXPECT_NEAR(found[0].score, 1, 1e-5);
  EXPECT_LE(found[0].score, 1);
  EXPECT_FLOAT_EQ(found[0].box.x_min, 15);
}

// Two equal proposals and equal logits: order is label, then proposal.
TEST(Postprocess, ASumOfScoresIsNoMoreThanOne) {
  Random random(6);
  Case c(100, 25, random);
  c.parents.assign(25, 0);
  c.parents[0] = -1;
  for (std::size_t i = 0; i < c.outputs.size(); i += 5 * 26) c.outputs[i] = -100;  // no background
  const Detections found = c.run({150, 200}, {150, 200}, {0.9, 1, 100});
  ASSERT_FALSE(found.empty());
  for (const Detection& detection : found) EXPECT_LE(detection.score, 1.0F);
}

TEST(Postprocess, TiesGoByLabelThenProposal) {
  Random random(1);
  Case c(0, 2, random);
  c.proposals = {{0, 0, 10, 10}, {50, 50, 60, 60}};
  c.outputs.assign(30, 0);
  const Detections found = c.run({100, 100}, {100, 100}, {0.05, 0.5, 100});
  ASSERT_EQ(found.size(), 4U);
  EXPECT_EQ(found[0].label, 0);
  EXPECT_EQ(found[0].box.x_min, 0);
  EXPECT_EQ(found[1].label, 0);
  EXPECT_EQ(found[1].box.x_min, 50);
  EXPECT_EQ(found[2].label, 1);
}

TEST(Postprocess, AScoreEqualToTheThresholdIsNotEnough) {
  Random random(1);
  Case c(0, 1, random);
  c.proposals = {{0, 0, 10, 10}};
  c.outputs.assign(10, 0);  // score exactly 0.5
  EXPECT_TRUE(c.run({100, 100}, {100, 100}, {0.5, 0.5, 100}).empty());
  EXPECT_EQ(c.run({100, 100}, {100, 100}, {0.49, 0.5, 100}).size(), 1U);
}

TEST(Postprocess, OutputsThatAreNotNumbersDetectNothing) {
  Random random(3);
  Case c(20, 3, random);
  for (std::size_t i = 0; i < c.outputs.size(); i += 4)
    c.outputs[i] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(c.run({220, 170}, {220, 170}, {0.05, 0.5, 100}).empty());
}

TEST(Softmax, SumsToOneAndTakesLargeLogits) {
  std::vector<float> values{1000, 999, -1e30F};
  softmax(values.data(), 3);
  EXPECT_NEAR(values[0], 1 / (1 + std::exp(-1.0)), 1e-6);
  EXPECT_NEAR(values[0] + values[1], 1, 1e-6);
  EXPECT_EQ(values[2], 0);
}

}  // namespace
}  // namespace smearscope::ops
