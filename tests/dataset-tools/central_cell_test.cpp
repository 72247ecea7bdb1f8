#include "segmentation/central_cell.h"

#include <gtest/gtest.h>

#include <opencv2/imgproc.hpp>

#include "segmentation/regions.h"
#include "segmentation/stain.h"

namespace smearscope::corpus {
namespace {

// Colours (RGB) as in May-Gruenwald-Giemsa smears under a halogen lamp.
const cv::Scalar glass(255, 230, 203), red_cell(208, 168, 170), cytoplasm(190, 175, 190),
    nucleus(70, 35, 120);

// 360 x 363 pixels with red cells in two rows, far from the middle.
cv::Mat red_cells() {
  cv::Mat picture(363, 360, CV_8UC3, glass);
  for (const int y : {45, 320}) {
    for (const int x : {50, 140, 230, 320})
      cv::circle(picture, {x, y}, 36, red_cell, cv::FILLED, cv::LINE_AA);
  }
  return picture;
}

void add_white_cell(cv::Mat& picture, cv::Point centre, int radius) {
  cv::circle(picture, centre, radius, cytoplasm, cv::FILLED, cv::LINE_AA);
  // Two lobes off the middle.
  cv::circle(picture, centre + cv::Point(-radius / 3, 0), radius / 3, nucleus, cv::FILLED, cv::LINE_AA);
  cv::circle(picture, centre + cv::Point(radius / 4, radius / 3), radius / 3, nucleus, cv::FILLED,
             cv::LINE_AA);
}

void expect_box(const std::optional<Box>& box, double x_min, double y_min, double x_max, double y_max,
                double tolerance = 3) {
  ASSERT_TRUE(box);
  EXPECT_NEAR(box->x_min, x_min, tolerance);
  EXPECT_NEAR(box->y_min, y_min, tolerance);
  EXPECT_NEAR(box->x_max, x_max, tolerance);
  EXPECT_NEAR(box->y_max, y_max, tolerance);
}

TEST(CentralCell, BoxHoldsTheCytoplasmToo) {
  cv::Mat picture = red_cells();
  add_white_cell(picture, {185, 178}, 60);
  const StainedCells found = find_stained_cells(picture);
  expect_box(found.central, 125, 118, 245, 238);
  EXPECT_TRUE(found.others.empty());
}

TEST(CentralCell, ATouchingRedCellIsNotInTheBox) {
  cv::Mat picture = red_cells();
  cv::circle(picture, {272, 180}, 36, red_cell, cv::FILLED, cv::LINE_AA);
  add_white_cell(picture, {180, 180}, 60);
  expect_box(find_stained_cells(picture).central, 120, 120, 240, 240);
}

TEST(CentralCell, ATouchingWhiteCellIsAnother) {
  cv::Mat picture = red_cells();
  add_white_cell(picture, {180, 180}, 50);
  add_white_cell(picture, {275, 180}, 50);
  const StainedCells found = find_stained_cells(picture);
  expect_box(found.central, 130, 130, 229, 230);
  ASSERT_EQ(found.others.size(), 1U);
  expect_box(found.others[0], 227, 130, 325, 230);
}

TEST(CentralCell, CellsAtTheEdgeAreReportedFromLeftToRight) {
  cv::Mat picture = red_cells();
  add_white_cell(picture, {180, 180}, 50);
  add_white_cell(picture, {340, 180}, 50);
  add_white_cell(picture, {10, 180}, 50);
  const StainedCells found = find_stained_cells(picture);
  ASSERT_EQ(found.others.size(), 2U);
  EXPECT_EQ(found.others[0].x_min, 0);
  EXPECT_EQ(found.others[1].x_max, 360);
}

TEST(CentralCell, SizeOfThePictureDoesNotMatter) {
  cv::Mat picture = red_cells(), large, small;
  add_white_cell(picture, {180, 180}, 60);
  cv::resize(picture, large, {}, 3, 3, cv::INTER_CUBIC);
  expect_box(find_stained_cells(large).central, 360, 360, 720, 720, 3 * 3);
  cv::resize(picture, small, {}, 0.5, 0.5, cv::INTER_AREA);
  expect_box(find_stained_cells(small).central, 60, 60, 120, 120);
}

TEST(CentralCell, AnErythroblastsRedCytoplasmIsItsOwnIfTheHintSaysSo) {
  cv::Mat picture = red_cells();
  cv::circle(picture, {180, 180}, 45, red_cell, cv::FILLED, cv::LINE_AA);
  cv::circle(picture, {170, 190}, 20, nucleus, cv::FILLED, cv::LINE_AA);
  expect_box(find_stained_cells(picture).central, 150, 170, 190, 210);
  expect_box(find_stained_cells(picture, {0.08, true}).central, 135, 135, 225, 225);
}

TEST(CentralCell, ARedCellBesideANucleusIsNotItsCytoplasm) {
  cv::Mat picture = red_cells();
  cv::circle(picture, {180, 180}, 22, nucleus, cv::FILLED, cv::LINE_AA);
  cv::circle(picture, {225, 215}, 36, red_cell, cv::FILLED, cv::LINE_AA);
  cv::circle(picture, {180, 180}, 22, nucleus, cv::FILLED, cv::LINE_AA);
  expect_box(find_stained_cells(picture, {0.08, true}).central, 158, 158, 202, 202, 6);
}

TEST(CentralCell, NoneIsFoundWhereThereIsNone) {
  EXPECT_FALSE(find_stained_cells(red_cells()).central);
  for (const cv::Scalar& colour : {cv::Scalar::all(0), cv::Scalar::all(255), nucleus}) {
    EXPECT_FALSE(find_stained_cells(cv::Mat(363, 360, CV_8UC3, colour)).central);
  }
}

TEST(CentralCell, PicturesOfAnyShapeAreTaken) {
  for (const cv::Size& size : {cv::Size(1, 1), cv::Size(5000, 1), cv::Size(2, 3000), cv::Size(7, 5)}) {
    cv::Mat picture(size, CV_8UC3);
    cv::randu(picture, 0, 255);
    const StainedCells found = find_stained_cells(picture);
    if (found.central) {
      EXPECT_LE(found.central->x_max, size.width);
      EXPECT_LE(found.central->y_max, size.height);
    }
  }
}

TEST(Stain, BackgroundIsTheColourOfTheGlass) {
  cv::Mat picture = red_cells();
  cv::Mat noise(picture.size(), CV_8UC3);
  cv::randn(noise, 4, 2);
  picture -= noise;
  const std::array<double, 3> colour = background_colour(picture);
  EXPECT_NEAR(colour[0], 251, 2);
  EXPECT_NEAR(colour[1], 226, 2);
  EXPECT_NEAR(colour[2], 199, 2);
}

TEST(Stain, DensityAddsUpWhereLightPassesTwice) {
  // Half of the light, then half of that half (one is added to intensities).
  const cv::Mat picture = (cv::Mat_<cv::Vec3b>(1, 3) << cv::Vec3b(199, 199, 199), cv::Vec3b(99, 199, 199),
                           cv::Vec3b(49, 199, 199));
  const std::array<cv::Mat, 3> density = optical_density(picture, {199, 199, 199});
  EXPECT_EQ(density[0].at<float>(0, 0), 0);
  EXPECT_NEAR(density[0].at<float>(0, 2), 2 * density[0].at<float>(0, 1), 1e-6);
  EXPECT_EQ(density[1].at<float>(0, 2), 0);
}

int parts_of(const cv::Mat& mask, double neck, const cv::Mat& core, double core_neck) {
  double last = 0;
  cv::minMaxLoc(split_at_necks(mask, neck, core, core_neck), nullptr, &last);
  return int(last);
}

TEST(Regions, TouchingDiscsAreCutWhereTheNeckIsNarrow) {
  cv::Mat mask(100, 160, CV_8U, cv::Scalar(0)), none = mask.clone();
  cv::circle(mask, {50, 50}, 30, 255, cv::FILLED);
  EXPECT_EQ(parts_of(mask, 0.9, none, 0.9), 1);
  cv::circle(mask, {100, 50}, 30, 255, cv::FILLED);  // the neck is 2 sqrt(30^2 - 25^2) = 33 of 60 wide
  EXPECT_EQ(parts_of(mask, 0.65, none, 0.65), 2);
  EXPECT_EQ(parts_of(mask, 0.45, none, 0.45), 1);
  cv::Mat core = none.clone();
  core(cv::Rect(70, 30, 10, 40)) = 255;
  EXPECT_EQ(parts_of(mask, 0.65, core, 0.45), 1);
}

TEST(Regions, HolesAreFilledAndBaysAreNot) {
  cv::Mat mask(50, 50, CV_8U, cv::Scalar(0));
  cv::rectangle(mask, {5, 5}, {20, 20}, 255, 2);
  cv::rectangle(mask, {0, 30}, {20, 49}, 255, 2);  // a ring at the border of the picture
  cv::rectangle(mask, {30, 5}, {45, 20}, 255, 2);
  mask(cv::Rect(36, 0, 3, 10)) = 0;  // no longer a ring
  fill_holes(mask);
  EXPECT_EQ(mask.at<uchar>(12, 12), 255);
  EXPECT_EQ(mask.at<uchar>(40, 10), 255);
  EXPECT_EQ(mask.at<uchar>(12, 38), 0);
}

}  // namespace
}  // namespace smearscope::corpus
