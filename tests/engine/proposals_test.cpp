#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/box_coder.h"
#include "ops/proposals.h"
#include "random_numbers.h"

namespace smearscope::ops {
namespace {

using testing::Random;

struct Rpn {
  std::array<AnchorGrid, pyramid_levels> grids;
  std::array<std::vector<float>, pyramid_levels> outputs;
  std::array<RpnLevel, pyramid_levels> levels;

  Rpn(Size padded, Random& random, bool ties) {
    Size grid{padded.width / 4, padded.height / 4};
    for (int level = 0; level < pyramid_levels; ++level) {
      const float size = static_cast<float>(8 << level);
      grids[level] = anchor_grid(cell_anchors({size}, {0.5F, 1, 2}), grid, padded);
      outputs[level] = random.reals(static_cast<std::size_t>(5) * grids[level].count(), -0.6F, 0.6F);
      for (int position = 0; position < grid.width * grid.height; ++position)
        for (int a = 0; a < 3; ++a) {
          float& logit = outputs[level][static_cast<std::size_t>(position) * 15 + a];
          logit = ties ? static_cast<float>(random.integer(-2, 2)) : random.real(-4, 4);
        }
      levels[level] = {outputs[level].data(), &grids[level]};
      grid = {(grid.width + 1) / 2, (grid.height + 1) / 2};
    }
  }
};

struct Candidate {
  Box box;
  float logit, score;
  int level, index;
};

double overlap(const Box& a, const Box& b) {
  const float width = std::max(0.0F, std::min(a.x_max, b.x_max) - std::max(a.x_min, b.x_min));
  const float height = std::max(0.0F, std::min(a.y_max, b.y_max) - std::max(a.y_min, b.y_min));
  const float area_a = (a.x_max - a.x_min) * (a.y_max - a.y_min),
              area_b = (b.x_max - b.x_min) * (b.y_max - b.y_min);
  return width * height / (area_a + area_b - width * height);
}

// The steps one after another on plain lists.
std::vector<Box> reference(const Rpn& rpn, Size image, const Architecture& architecture) {
  std::vector<Candidate> kept;
  for (int level = 0; level < pyramid_levels; ++level) {
    std::vector<Candidate> all;
    for (int i = 0; i < rpn.grids[level].count(); ++i) {
      const float* position = rpn.outputs[level].data() + static_cast<std::ptrdiff_t>(i / 3) * 15;
      const float logit = position[i % 3];
      const Box box =
          clip_box(decode_box(rpn.grids[level].at(i), position + 3 + i % 3 * 4, rpn_coder), image);
      all.push_back({box, logit, 1 / (1 + std::exp(-logit)), level, i});
    }
    std::stable_sort(all.begin(), all.end(),
                     [](const Candidate& a, const Candidate& b) { return a.logit > b.logit; });
    all.resize(std::min<std::size_t>(all.size(), architecture.rpn_pre_nms_top_n));
    std::vector<Candidate> survivors;
    for (const Candidate& candidate : all) {
      bool free = is_at_least(candidate.box, 1e-3F);
      for (const Candidate& other : survivors)
        free = free && overlap(other.box, candidate.box) <= architecture.rpn_nms_threshold;
      if (free) survivors.push_back(candidate);
    }
    kept.insert(kept.end(), survivors.begin(), survivors.end());
  }
  std::stable_sort(kept.begin(), kept.end(),
                   [](const Candidate& a, const Candidate& b) { return a.score > b.score; });
  kept.resize(std::min<std::size_t>(kept.size(), architecture.rpn_post_nms_top_n));
  std::vector<Box> boxes;
  for (const Candidate& candidate : kept) boxes.push_back(candidate.box);
  return boxes;
}

void expect_equal(const std::vector<Box>& found, const std::vector<Box>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    ASSERT_EQ(found[i].x_min, expected[i].x_min) << i;
    ASSERT_EQ(found[i].y_min, expected[i].y_min) << i;
    ASSERT_EQ(found[i].x_max, expected[i].x_max) << i;
    ASSERT_EQ(found[i].y_max, expected[i].y_max) << i;
  }
}

TEST(Propose, EqualsTheReferenceWithAndWithoutTies) {
  ProposalScratch scratch;  // shared, as a detector does
  std::vector<Box> found;
  for (std::uint32_t seed = 0; seed < 10; ++seed) {
    Random random(seed);
    const Size padded{32 * random.integer(1, 6), 32 * random.integer(1, 6)};
    const Size image{padded.width - random.integer(0, 31), padded.height - random.integer(0, 31)};
    const Rpn rpn(padded, random, seed % 2 == 0);
    Architecture architecture;
    architecture.rpn_pre_nms_top_n = random.integer(1, 300);
    architecture.rpn_post_nms_top_n = random.integer(1, 400);
    architecture.rpn_nms_threshold = random.real(0.3F, 0.9F);
    propose_cpu(rpn.levels, image, architecture, scratch, found);
    EXPECT_FALSE(found.empty());
    expect_equal(found, reference(rpn, image, architecture));
  }
}

TEST(Propose, OutputsThatAreNotNumbersGiveNoBoxOfThem) {
  Random random(1);
  Rpn rpn({64, 64}, random, false);
  const float nan = std::numeric_limits<float>::quiet_NaN(),
              infinity = std::numeric_limits<float>::infinity();
  for (auto& level : rpn.outputs)
    for (std::size_t i = 0; i < level.size(); i += 2) level[i] = i % 4 ? nan : infinity;
  ProposalScratch scratch;
  std::vector<Box> found;
  propose_cpu(rpn.levels, {60, 50}, {}, scratch, found);
  for (const Box& box : found) {
    EXPECT_TRUE(box.x_min >= 0 && box.x_max <= 60 && box.y_min >= 0 && box.y_max <= 50);
    EXPECT_TRUE(is_at_least(box, 1e-3F));
  }
}

}  // namespace
}  // namespace smearscope::ops
