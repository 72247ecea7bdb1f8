#include "ops/anchors.h"

#include <gtest/gtest.h>

namespace smearscope::ops {
namespace {

void expect_box(const Box& box, float x_min, float y_min, float x_max, float y_max) {
  EXPECT_EQ(box.x_min, x_min);
  EXPECT_EQ(box.y_min, y_min);
  EXPECT_EQ(box.x_max, x_max);
  EXPECT_EQ(box.y_max, y_max);
}

// Numbers that torchvision's AnchorGenerator prints.
TEST(CellAnchors, AreTorchvisionsForSize32) {
  const std::vector<Box> cells = cell_anchors({32}, {0.5F, 1.0F, 2.0F});
  ASSERT_EQ(cells.size(), 3U);
  expect_box(cells[0], -23, -11, 23, 11);
  expect_box(cells[1], -16, -16, 16, 16);
  expect_box(cells[2], -11, -23, 11, 23);
}

TEST(CellAnchors, HalvesRoundToEven) {
  expect_box(cell_anchors({5}, {1})[0], -2, -2, 2, 2);  // 2.5
  expect_box(cell_anchors({7}, {1})[0], -4, -4, 4, 4);  // 3.5
}

TEST(CellAnchors, RatioIsTheOuterIndex) {
  const std::vector<Box> cells = cell_anchors({8, 16}, {1, 4});
  ASSERT_EQ(cells.size(), 4U);
  expect_box(cells[1], -8, -8, 8, 8);
  expect_box(cells[2], -2, -8, 2, 8);
}

TEST(AnchorGrid, OrderIsRowThenColumnThenAnchorWithoutHalfPixel) {
  const AnchorGrid grid = anchor_grid(cell_anchors({8}, {1, 4}), {3, 2}, {96, 64});
  EXPECT_EQ(grid.count(), 12);
  EXPECT_EQ(grid.stride, (Size{32, 32}));
  expect_box(grid.at(0), -4, -4, 4, 4);
  expect_box(grid.at(3), 30, -8, 34, 8);
  expect_box(grid.at(10), 60, 28, 68, 36);
}

// Padded height 800 has 13 rows of P6: 800 / 13 = 61, not 64.
TEST(AnchorGrid, StrideIsThePaddedSizeOverTheGridRoundedDown) {
  EXPECT_EQ(anchor_grid(cell_anchors({512}, {1}), {17, 13}, {1088, 800}).stride, (Size{64, 61}));
}

}  // namespace
}  // namespace smearscope::ops
