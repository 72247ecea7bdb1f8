#include "ops/transform.h"

#include <gtest/gtest.h>

#include "expect_error.h"
#include "frames.h"

namespace smearscope::ops {
namespace {

using testing::expect_error;

Size resized(int width, int height, int min_side = 800, int max_side = 1333) {
  Transform transform;
  transform.min_side = min_side;
  transform.max_side = max_side;
  return resized_size({width, height}, transform);
}

// Sizes that torchvision 0.26 gives for the same frames.
TEST(ResizedSize, EqualsTorchvisions) {
  EXPECT_EQ(resized(640, 480), (Size{1066, 800}));
  EXPECT_EQ(resized(480, 640), (Size{800, 1066}));
  EXPECT_EQ(resized(1920, 1080), (Size{1333, 749}));
  EXPECT_EQ(resized(360, 363), (Size{800, 806}));
  EXPECT_EQ(resized(97, 64), (Size{1212, 800}));
  EXPECT_EQ(resized(1, 1), (Size{800, 800}));
  EXPECT_EQ(resized(640, 480, 480, 640), (Size{640, 480}));
}

TEST(ResizedSize, IsAtLeastOne) {
  EXPECT_EQ(resized(16384, 1), (Size{1333, 1}));
  EXPECT_EQ(resized(1, 16384), (Size{1, 1333}));
}

TEST(PaddedSize, IsTheNextMultipleOf32) {
  EXPECT_EQ(padded_size({1, 32}), (Size{32, 32}));
  EXPECT_EQ(padded_size({1066, 800}), (Size{1088, 800}));
}

TEST(CheckFrame, AcceptsEveryFormatAtOddSizes) {
  for (const PixelFormat format : testing::all_formats()) {
    const testing::OwnedFrame owned(format, 7, 5);
    EXPECT_NO_THROW(check_frame(owned.frame()));
  }
}

TEST(CheckFrame, RefusesEmptyFramesMissingPlanesAndShortRows) {
  for (const PixelFormat format : testing::all_formats()) {
    testing::OwnedFrame owned(format, 7, 5);
    Frame empty = owned.frame();
    empty.height = 0;
    expect_error([&] { check_frame(empty); }, "7x0");
    for (int plane = 0; plane < plane_count(format); ++plane) {
      Frame missing = owned.frame();
      missing.planes[plane].data = nullptr;
      expect_error([&] { check_frame(missing); }, "has no data");
      Frame short_rows = owned.frame();
      --short_rows.planes[plane].stride;
      expect_error([&] { check_frame(short_rows); }, "stride");
    }
  }
}

}  // namespace
}  // namespace smearscope::ops
