#include "segmentation/unlabelled_cells.h"

#include <gtest/gtest.h>

#include <opencv2/imgproc.hpp>

#include "painted_smear.h"

namespace smearscope::corpus {
namespace {

// Cells of 40 pixels, the second and third overlapping.
cv::Mat three_cells() {
  cv::Mat1b mask(200, 300, uchar(0));
  for (const int x : {60, 180, 205}) cv::circle(mask, {x, 100}, 20, 255, cv::FILLED);
  return testing::paint_smear(mask);
}

std::vector<Box> unlabelled(const std::vector<Box>& labelled) {
  return unlabelled_cells(find_foreground(three_cells()), 40.0, labelled);
}

TEST(UnlabelledCells, AreThoseThatNoBoxHolds) {
  EXPECT_EQ(unlabelled({{38, 78, 82, 122}, {158, 78, 228, 122}}).size(), 0U);
  const std::vector<Box> found = unlabelled({{158, 78, 228, 122}});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_NEAR(found[0].x_min, 40, 3);
  EXPECT_NEAR(found[0].y_max, 121, 3);
}

TEST(UnlabelledCells, ThePartOfAHeapThatHasNoBoxIsOne) {
  const std::vector<Box> found = unlabelled({{38, 78, 82, 122}, {158, 78, 202, 122}});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_GT(found[0].x_min, 195);
  EXPECT_NEAR(found[0].x_max, 226, 3);
}

TEST(UnlabelledCells, SpecksAreNone) {
  cv::Mat1b mask(200, 300, uchar(0));
  cv::circle(mask, {60, 100}, 20, 255, cv::FILLED);
  cv::circle(mask, {200, 100}, 3, 255, cv::FILLED);
  const Foreground foreground = find_foreground(testing::paint_smear(mask));
  EXPECT_EQ(unlabelled_cells(foreground, 40.0, {}).size(), 1U);
}

TEST(UnlabelledCells, BoxesOutsideThePictureAndPicturesOfAnySizeAreTaken) {
  EXPECT_EQ(unlabelled({{-50, -50, 1000, 1000}}).size(), 0U);
  EXPECT_EQ(unlabelled({{1000, 1000, 1001, 1001}, {-9, -9, -3, -3}}).size(), 2U);
  for (const cv::Size size : {cv::Size(1, 1), cv::Size(300, 1), cv::Size(7, 5)}) {
    cv::Mat picture(size, CV_8UC3);
    cv::randu(picture, 0, 255);
    unlabelled_cells(find_foreground(picture), std::nullopt, {{0, 0, 1, 1}});
  }
}

}  // namespace
}  // namespace smearscope::corpus
