#include "ops/box_coder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "random_numbers.h"

namespace smearscope::ops {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();

TEST(DecodeBox, EqualsTheFormulaInDoublePrecision) {
  testing::Random random(1);
  for (int round = 0; round < 1000; ++round) {
    const float x = random.real(-50, 700), y = random.real(-50, 700);
    const Box reference{x, y, x + random.real(1, 400), y + random.real(1, 400)};
    const std::vector<float> deltas = random.reals(4, -3, 3);
    for (const BoxCoderWeights weights : {rpn_coder, box_head_coder}) {
      const double width = double{reference.x_max} - reference.x_min,
                   height = double{reference.y_max} - reference.y_min;
      const double centre_x = reference.x_min + width / 2 + deltas[0] / weights.centre * width;
      const double centre_y = reference.y_min + height / 2 + deltas[1] / weights.centre * height;
      const double half_width = std::exp(double{deltas[2]} / weights.size) * width / 2;
      const double half_height = std::exp(double{deltas[3]} / weights.size) * height / 2;
      const Box box = decode_box(reference, deltas.data(), weights);
      EXPECT_NEAR(box.x_min, centre_x - half_width, 5e-3);
      EXPECT_NEAR(box.y_min, centre_y - half_height, 5e-3);
      EXPECT_NEAR(box.x_max, centre_x + half_width, 5e-3);
      EXPECT_NEAR(box.y_max, centre_y + half_height, 5e-3);
    }
  }
}

TEST(DecodeBox, ZeroDeltasGiveTheReference) {
  const float zeros[4] = {};
  const Box box = decode_box({10, 20, 30, 60}, zeros, box_head_coder);
  EXPECT_EQ(box.x_min, 10);
  EXPECT_EQ(box.y_max, 60);
}

TEST(DecodeBox, GrowthIsLimitedTo1000Over16AndShrinkingIsNot) {
  const float huge[4] = {0, 0, 1e30F, -1e30F};
  const Box box = decode_box({0, 0, 16, 16}, huge, rpn_coder);
  EXPECT_NEAR(box.x_max - box.x_min, 1000, 1e-2);
  EXPECT_EQ(box.y_max - box.y_min, 0);
}

TEST(ClipBox, KeepsInsideTheImage) {
  const Box box = clip_box({-5, -1e30F, 700, 20}, {640, 480});
  EXPECT_EQ(box.x_min, 0);
  EXPECT_EQ(box.y_min, 0);
  EXPECT_EQ(box.x_max, 640);
  EXPECT_EQ(box.y_max, 20);
}

TEST(IsAtLeast, HoldsBothSidesAndRefusesNaN) {
  EXPECT_TRUE(is_at_least({0, 0, 1, 1}, 1));
  EXPECT_FALSE(is_at_least({0, 0, 0.999F, 5}, 1));
  EXPECT_FALSE(is_at_least({0, 0, 5, 0}, 1));
  EXPECT_FALSE(is_at_least({nan, 0, 5, 5}, 1));
  EXPECT_FALSE(is_at_least(clip_box({0, 0, 5, nan}, {9, 9}), 1));
}

}  // namespace
}  // namespace smearscope::ops
