#include "segmentation/foreground.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "corpus/image_io.h"
#include "painted_smear.h"
#include "segmentation/diameter.h"

namespace smearscope::corpus {
namespace {

using testing::paint_smear;
using testing::Stain;

// Discs in rows, none touching.
cv::Mat1b rows_of_discs(int radius, int distance) {
  cv::Mat1b mask = cv::Mat1b::zeros(240, 320);
  for (int y = distance; y < mask.rows - radius - 3; y += distance) {
    for (int x = distance; x < mask.cols - radius - 3; x += distance)
      cv::circle(mask, {x, y}, radius, 255, cv::FILLED);
  }
  return mask;
}

double overlap(const cv::Mat1b& a, const cv::Mat1b& b) {
  return double(cv::countNonZero(a & b)) / cv::countNonZero(a | b);
}

TEST(Foreground, FindsCellsOfAnyStainUnderUnevenLight) {
  const cv::Mat1b cells = rows_of_discs(14, 45);
  for (const Stain& stain :
       {Stain{{190, 200, 195}, {150, 120, 130}}, Stain{{120, 145, 165}, {110, 110, 150}},
        Stain{{180, 180, 130}, {150, 135, 100}}, Stain{{235, 235, 250}, {190, 140, 200}}}) {
    for (const double fall_off : {0.0, 0.3}) {
      Stain uneven = stain;
      uneven.fall_off = fall_off;
      const Foreground found = find_foreground(paint_smear(cells, uneven));
      EXPECT_GT(overlap(found.mask, cells), 0.9)
          << "background " << stain.background << ", fall-off " << fall_off;
    }
  }
}

TEST(Foreground, NucleiDoNotHideRedCells) {
  cv::Mat1b cells = rows_of_discs(14, 45);
  cv::Mat rgb = paint_smear(cells);
  cv::circle(rgb, {160, 120}, 40, {70, 30, 110}, cv::FILLED);
  cv::circle(cells, {160, 120}, 40, 255, cv::FILLED);
  EXPECT_GT(overlap(find_foreground(rgb).mask, cells), 0.9);
}

TEST(Foreground, APictureOfOneColourHasNone) {
  EXPECT_EQ(cv::countNonZero(find_foreground(cv::Mat(60, 80, CV_8UC3, cv::Scalar::all(0))).mask), 0);
  EXPECT_EQ(cv::countNonZero(find_foreground(cv::Mat(60, 80, CV_8UC3, cv::Scalar(200, 210, 220))).mask), 0);
  EXPECT_EQ(find_foreground(cv::Mat(1, 1, CV_8UC3, cv::Scalar::all(9))).mask.total(), 1U);
}

TEST(FillPallor, FillsRoundCrescentShapedAndOpenPallors) {
  cv::Mat1b mask = cv::Mat1b::zeros(100, 300);
  const double area = CV_PI * 20 * 20;
  for (const int x : {50, 150, 250}) cv::circle(mask, {x, 50}, 20, 255, cv::FILLED);
  const cv::Mat1b cells = mask.clone();
  cv::circle(mask, {50, 50}, 9, 0, cv::FILLED);              // round
  cv::ellipse(mask, {150, 50}, {12, 12}, 0, 20, 250, 0, 6);  // crescent around a target
  cv::circle(mask, {250, 50}, 9, 0, cv::FILLED);             // with a gap in the rim
  cv::rectangle(mask, cv::Rect(250, 49, 25, 3), 0, cv::FILLED);
  fill_pallor(mask, area);
  EXPECT_GT(overlap(mask, cells), 0.98);
}

TEST(FillPallor, GapsBetweenTouchingCellsStayOpen) {
  cv::Mat1b mask = cv::Mat1b::zeros(120, 120);
  for (const cv::Point centre : {cv::Point(40, 40), {80, 40}, {40, 80}, {80, 80}}) {
    cv::circle(mask, centre, 21, 255, cv::FILLED);
  }
  ASSERT_EQ(mask(60, 60), 0);
  fill_pallor(mask, CV_PI * 20 * 20);
  EXPECT_EQ(mask(60, 60), 0);
}

TEST(RedCellDiameter, IsThatOfLoneCellsNotOfPlateletsOrNuclei) {
  cv::Mat1b cells = rows_of_discs(14, 45);
  for (int x = 20; x < 300; x += 30) cv::circle(cells, {x, 22}, 4, 255, cv::FILLED);  // platelets
  cv::Mat rgb = paint_smear(cells);
  cv::circle(rgb, {160, 130}, 30, {70, 30, 110}, cv::FILLED);
  const std::optional<double> diameter = red_cell_diameter(rgb);
  ASSERT_TRUE(diameter);
  EXPECT_NEAR(*diameter, 29, 2);
}

TEST(RedCellDiameter, IsUnknownWithoutLoneCells) {
  EXPECT_FALSE(red_cell_diameter(cv::Mat(60, 80, CV_8UC3, cv::Scalar::all(200))));
  cv::Mat1b clump = cv::Mat1b::zeros(200, 200);
  cv::circle(clump, {100, 100}, 70, 255, cv::FILLED);
  for (const int x : {10, 25, 180}) cv::circle(clump, {x, 10}, 3, 255, cv::FILLED);
  EXPECT_FALSE(red_cell_diameter(paint_smear(clump)));
}

// The medians that are known of the real sets' boxes: 103, 71 and 40 pixels.
TEST(RedCellDiameter, AgreesWithTheBoxesOfTheRealSets) {
  const char* shared = std::getenv("SMEARSCOPE_SHARED_DATA");
  if (!shared || !std::filesystem::is_directory(std::filesystem::path(shared) / "bccd")) {
    GTEST_SKIP() << "needs the real data sets in $SMEARSCOPE_SHARED_DATA";
  }
  const auto median = [&](const char* folder, std::size_t step) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(std::filesystem::path(shared) / folder)) {
      if (entry.path().extension() == ".jpg") files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    std::vector<double> diameters;
    for (std::size_t i = 0; i < files.size(); i += step) {
      if (const auto diameter = red_cell_diameter(read_image(files[i]))) diameters.push_back(*diameter);
    }
    std::sort(diameters.begin(), diameters.end());
    EXPECT_GE(diameters.size(), 10U) << folder;
    return diameters.empty() ? 0 : diameters[diameters.size() / 2];
  };
  EXPECT_NEAR(median("bccd/BCCD/JPEGImages", 7), 103, 0.1 * 103);
  EXPECT_NEAR(median("pbc", 77), 71, 0.1 * 71);
  EXPECT_NEAR(median("chula-rbc-12/Dataset", 20), 40, 0.1 * 40);
}

}  // namespace
}  // namespace smearscope::corpus
