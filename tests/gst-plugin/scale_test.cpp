#include "tally/scale.h"

#include <gtest/gtest.h>

#include <limits>

namespace smearscope {
namespace {

// The middle one of ten or more, so that a few odd ones don't matter.
TEST(RedCellScale, IsThatOfTheMiddleCell) {
  RedCellScale scale;
  for (int i = 0; i < 9; ++i) scale.add(75);
  EXPECT_EQ(scale.pixel_size_um(), 0) << "too few";
  scale.add(300);
  EXPECT_DOUBLE_EQ(scale.pixel_size_um(), 0.1);
  for (int i = 0; i < 8; ++i) scale.add(i % 2 ? 1 : 1000);
  EXPECT_DOUBLE_EQ(scale.pixel_size_um(), 0.1);
  scale.reset();
  EXPECT_EQ(scale.pixel_size_um(), 0);
}

// Another objective is known when half of the last 200 are seen through it.
TEST(RedCellScale, FollowsTheObjective) {
  RedCellScale scale;
  for (int i = 0; i < 1000; ++i) scale.add(75);
  for (int i = 0; i < 99; ++i) scale.add(150);
  EXPECT_DOUBLE_EQ(scale.pixel_size_um(), 0.1);
  for (int i = 0; i < 2; ++i) scale.add(150);
  EXPECT_DOUBLE_EQ(scale.pixel_size_um(), 0.05);
}

// Boxes come from metadata: what has no size tells none.
TEST(RedCellScale, WhatHasNoSizeIsLeftOut) {
  RedCellScale scale;
  for (int i = 0; i < 20; ++i) scale.add(std::numeric_limits<double>::quiet_NaN());
  for (int i = 0; i < 20; ++i) scale.add(0);
  EXPECT_EQ(scale.pixel_size_um(), 0);
}

// A red cell of 7.5 micrometres, beside what the model of the newest detection knows.
TEST(ViewOfScale, TellsCellsThatTheModelDoesNotKnow) {
  const DetectionOrigin origin{"abc", 0, 0.125, 0.25};  // 60 to 120 of 480 pixels
  EXPECT_EQ(view_of_scale(7.5 / 59, 480, origin), View::cells_too_small);
  EXPECT_EQ(view_of_scale(7.5 / 61, 480, origin), View::good);
  EXPECT_EQ(view_of_scale(7.5 / 119, 480, origin), View::good);
  EXPECT_EQ(view_of_scale(7.5 / 121, 480, origin), View::cells_too_large);
  EXPECT_EQ(view_of_scale(7.5 / 119, 240, origin), View::cells_too_large);
}

TEST(ViewOfScale, IsGoodWhereTheModelDoesNotTell) {
  for (const double side : {0.001, 1.0, 5000.0})
    EXPECT_EQ(view_of_scale(7.5 / side, 480, {"abc", 0}), View::good);
}

}  // namespace
}  // namespace smearscope
