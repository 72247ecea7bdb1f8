#include "ops/nms.h"

#include <gtest/gtest.h>

#include <limits>

#include "random_numbers.h"

namespace smearscope::ops {
namespace {

constexpr auto no_limit = std::numeric_limits<std::size_t>::max();

std::vector<std::uint32_t> run(const std::vector<Box>& boxes, double threshold,
                               std::size_t limit = no_limit) {
  NmsScratch scratch;
  std::vector<std::uint32_t> kept;
  nms_cpu(boxes.data(), static_cast<int>(boxes.size()), threshold, limit, kept, scratch);
  return kept;
}

float overlap(const Box& a, const Box& b) {
  const float width = std::max(0.0F, std::min(a.x_max, b.x_max) - std::max(a.x_min, b.x_min));
  const float height = std::max(0.0F, std::min(a.y_max, b.y_max) - std::max(a.y_min, b.y_min));
  const float area_a = (a.x_max - a.x_min) * (a.y_max - a.y_min),
              area_b = (b.x_max - b.x_min) * (b.y_max - b.y_min);
  return width * height / (area_a + area_b - width * height);
}

TEST(Nms, EqualsTheDefinition) {
  testing::Random random(1);
  for (int round = 0; round < 60; ++round) {
    std::vector<Box> boxes;
    for (int i = random.integer(0, 300); i > 0; --i) {
      // whole numbers: products are exact, so that the reference has the same IoU to the last bit
      const auto x = static_cast<float>(random.integer(0, 60)), y = static_cast<float>(random.integer(0, 60));
      boxes.push_back({x, y, x + static_cast<float>(random.integer(0, 30)),
                       y + static_cast<float>(random.integer(0, 30))});
    }
    const double threshold = round % 10 / 10.0;
    std::vector<std::uint32_t> expected;
    for (std::uint32_t i = 0; i < boxes.size(); ++i) {
      bool free = true;
      for (const std::uint32_t other : expected)
        free = free && !(static_cast<double>(overlap(boxes[other], boxes[i])) > threshold);
      if (free) expected.push_back(i);
    }
    EXPECT_EQ(run(boxes, threshold), expected);
    expected.resize(std::min<std::size_t>(expected.size(), 7));
    EXPECT_EQ(run(boxes, threshold, 7), expected);
  }
}

TEST(Nms, AnOverlapEqualToTheThresholdDoesNotSuppress) {
  const std::vector<Box> boxes{{0, 0, 2, 1}, {0, 0, 1, 1}};  // IoU 0.5
  EXPECT_EQ(run(boxes, 0.5).size(), 2U);
  EXPECT_EQ(run(boxes, 0.4999).size(), 1U);
}

TEST(Nms, BoxesWithoutAreaAndExtremesDoNoHarm) {
  const float infinity = std::numeric_limits<float>::infinity(),
              nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(run({{3, 3, 3, 3}, {3, 3, 3, 3}}, 0.5).size(), 2U);
  EXPECT_TRUE(run({}, 0.5).empty());
  EXPECT_FALSE(run({{0, 0, infinity, infinity}, {nan, nan, nan, nan}, {0, 0, 1, 1}}, 0.5).empty());
}

// Two names of one cell overlap whatever their classes; a name that a hidden one hides stays.
TEST(OneNamePerCell, KeepsTheBestOfAnyClass) {
  const Detections found{{{0, 0, 10, 10}, 0.9F, 2},
                         {{0, 1, 10, 11}, 0.8F, 0},
                         {{0, 4, 10, 14}, 0.7F, 2},
                         {{50, 50, 60, 60}, 0.6F, 1}};
  const auto scores = [&](double threshold) {
    std::vector<float> kept;
    for (const Detection& detection : one_name_per_cell(found, {threshold, 0}, {}))
      kept.push_back(detection.score);
    return kept;
  };
  EXPECT_EQ(scores(0.5), (std::vector<float>{0.9F, 0.7F, 0.6F}));  // 0.8 would hide 0.7, but is hidden itself
  EXPECT_EQ(scores(0.2), (std::vector<float>{0.9F, 0.6F}));
  EXPECT_EQ(scores(1), (std::vector<float>{0.9F, 0.8F, 0.7F, 0.6F}));
  EXPECT_TRUE(one_name_per_cell({}, {}, {}).empty());
}

// wbc (0) has the kinds neutrophil (1) and lymphocyte (2), segmented (3) is a kind of neutrophil, platelet
// (4) of none.
TEST(OneNamePerCell, TakesTheNarrowestName) {
  ModelInfo model;
  model.classes = {"wbc", "neutrophil", "lymphocyte", "segmented", "platelet"};
  model.parents = {-1, 0, 0, 1, -1};
  const Box cell{0, 0, 10, 10}, other{30, 0, 40, 10}, apart{60, 0, 70, 10};
  const Detections found{{cell, 0.9F, 0},  {other, 0.8F, 0}, {apart, 0.7F, 4},
                         {cell, 0.5F, 1},  {cell, 0.4F, 2},  {cell, 0.35F, 3},
                         {other, 0.3F, 4}, {apart, 0.3F, 0}, {apart, 0.2F, 1}};
  const Detections named = one_name_per_cell(found, {0.5, 0}, model);
  ASSERT_EQ(named.size(), 3U);
  EXPECT_EQ(named[0].label, 0);  // sure of the family alone
  EXPECT_EQ(named[0].score, 0.8F);
  EXPECT_EQ(named[1].label, 4);  // other families' names are hidden
  EXPECT_EQ(named[2].label, 3);  // wbc, neutrophil, segmented; lymphocyte is no kind of neutrophil
  EXPECT_EQ(named[2].score, 0.35F);
  EXPECT_TRUE(one_name_per_cell({{cell, 0.9F, 1}}, {0.5, 0}, model).empty())
      << "its family lost to another cell";
  const Box left{0, 0, 10, 10}, right{4, 0, 14, 10}, kind{4, 0, 13, 10};  // overlaps both, the right one more
  const Detections touching{{left, 0.9F, 0}, {right, 0.8F, 0}, {kind, 0.6F, 1}};
  const Detections of_touching = one_name_per_cell(touching, {0.43, 0.5}, model);
  ASSERT_EQ(of_touching.size(), 2U);
  EXPECT_EQ(of_touching[0].box.x_min, left.x_min) << "a kind names the cell that it lies on, not a neighbour";
  EXPECT_EQ(of_touching[1].label, 1);
  const Detections turned{{right, 0.9F, 0}, {left, 0.8F, 0}, {kind, 0.6F, 1}};
  EXPECT_EQ(one_name_per_cell(turned, {0.43, 0.5}, model)[0].box.x_min, left.x_min) << "the best comes last";
  const Detections tied{{cell, 0.9F, 3}, {cell, 0.9F, 1}, {cell, 0.9F, 0}};
  EXPECT_EQ(one_name_per_cell(tied, {0.5, 0.5}, model)[0].label, 3) << "whatever the order of equals";
  EXPECT_EQ(one_name_per_cell(found, {1, 0}, model).size(), found.size());
  const auto labels = [&](double kind) {
    std::vector<int> result;
    for (const Detection& detection : one_name_per_cell(found, {0.5, kind}, model))
      result.push_back(detection.label);
    return result;
  };
  EXPECT_EQ(labels(0.5), (std::vector<int>{0, 0, 4})) << "neutrophil is at 0.5, not above it";
  EXPECT_EQ(labels(0.49), (std::vector<int>{0, 4, 1})) << "sure of neutrophil, not of segmented";
}

}  // namespace
}  // namespace smearscope::ops
