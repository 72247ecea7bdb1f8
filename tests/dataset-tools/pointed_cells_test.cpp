// Boxes of pointed cells on pictures whose cells are known.
#include "segmentation/pointed_cells.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "painted_smear.h"
#include "segmentation/cell_outline.h"

namespace smearscope::corpus {
namespace {

struct Disc {
  cv::Point2d centre;
  double across = 40, down = 40;  // pixels
  double pallor = 0;              // share of the radius that is as light as the background
};

Box box_of(const Disc& disc) {
  return {disc.centre.x - disc.across / 2, disc.centre.y - disc.down / 2, disc.centre.x + disc.across / 2,
          disc.centre.y + disc.down / 2};
}

cv::Mat1b drawn(const Disc& disc, const cv::Size& size) {
  const auto ellipse = [&](cv::Mat1b& mask, double share, int value) {
    constexpr int shift = 4;  // cv::ellipse counts in sixteenths of a pixel, from the middle of the first
    const cv::RotatedRect rectangle({float(disc.centre.x - 0.5), float(disc.centre.y - 0.5)},
                                    {float(disc.across * share), float(disc.down * share)}, 0);
    const cv::Point centre(int(std::lround(rectangle.center.x * 16)),
                           int(std::lround(rectangle.center.y * 16)));
    const cv::Size axes(int(std::lround(rectangle.size.width * 8)),
                        int(std::lround(rectangle.size.height * 8)));
    cv::ellipse(mask, centre, axes, 0, 0, 360, value, cv::FILLED, cv::LINE_8, shift);
  };
  cv::Mat1b mask = cv::Mat1b::zeros(size);
  ellipse(mask, 1, 255);
  if (disc.pallor > 0) ellipse(mask, disc.pallor, 0);
  return mask;
}

// Where discs overlap, light passes twice and is twice as weak.
cv::Mat paint(const std::vector<Disc>& discs, const cv::Size& size = {320, 240}) {
  std::vector<cv::Mat1b> layers;
  for (const Disc& disc : discs) layers.push_back(drawn(disc, size));
  return testing::paint_layers(layers, size);
}

// Six lone discs around, for the scale, and some more.
std::vector<Disc> with_lone_cells(std::vector<Disc> discs, double side = 40) {
  for (const double x : {40, 160, 280}) {
    for (const double y : {40, 200}) discs.push_back({{x, y}, side, side});
  }
  return discs;
}

std::vector<PointedCells::Cell> cells_of(const std::vector<Disc>& discs,
                                         const std::vector<cv::Point2d>& points) {
  return find_pointed_cells(paint(discs), points).cells;
}

void expect_box(const PointedCells::Cell& cell, const Box& box, double least_iou = 0.9) {
  EXPECT_EQ(cell.origin, BoxOrigin::segmented);
  EXPECT_GE(intersection_over_union(cell.box, box), least_iou)
      << cell.box.x_min << ".." << cell.box.x_max << ", " << cell.box.y_min << ".." << cell.box.y_max
      << " for " << box.x_min << ".." << box.x_max << ", " << box.y_min << ".." << box.y_max;
}

TEST(PointedCells, ALoneCellHasATightBox) {
  const Disc disc{{160, 120}, 44, 36};
  const auto cells = cells_of(with_lone_cells({disc}), {{155, 125}});
  ASSERT_EQ(cells.size(), 1U);
  expect_box(cells[0], box_of(disc));
}

TEST(PointedCells, TouchingCellsAreTwoBoxes) {
  const Disc left{{130, 120}}, right{{169, 120}};
  const auto cells = cells_of(with_lone_cells({left, right}), {{130, 120}, {169, 120}});
  expect_box(cells[0], box_of(left));
  expect_box(cells[1], box_of(right));
}

TEST(PointedCells, OverlappingCellsHaveTheExtentOfTheirOwnOutlines) {
  const Disc left{{130, 120}}, right{{154, 126}};
  const auto cells = cells_of(with_lone_cells({left, right}), {{126, 118}, {160, 128}});
  expect_box(cells[0], box_of(left));
  expect_box(cells[1], box_of(right));
}

TEST(PointedCells, CellsInAHeapAreToldApart) {
  const std::vector<Disc> heap{{{130, 100}}, {{165, 104}}, {{142, 134}}, {{178, 138}}};
  const auto cells = cells_of(with_lone_cells(heap), {{128, 98}, {168, 100}, {140, 138}, {180, 140}});
  for (std::size_t i = 0; i < heap.size(); ++i) expect_box(cells[i], box_of(heap[i]), 0.85);
}

TEST(PointedCells, ANeighbourWithoutAPointIsNotInTheBox) {
  const Disc pointed{{130, 120}}, other{{160, 120}};
  const auto cells = cells_of(with_lone_cells({pointed, other}), {{128, 120}});
  expect_box(cells[0], box_of(pointed));
}

TEST(PointedCells, APointOffTheCentreStillGetsItsCell) {
  const Disc left{{130, 120}}, right{{168, 120}};
  for (const cv::Point2d point : {cv::Point2d(116, 120), {130, 105}, {141, 128}}) {
    const auto cells = cells_of(with_lone_cells({left, right}), {point, {168, 120}});
    expect_box(cells[0], box_of(left), 0.85);
  }
}

TEST(PointedCells, APointBesideACellIsThatCellsUnlessItHasOneOfItsOwn) {
  const Disc disc{{160, 120}};
  const cv::Point2d beside(160, 148);  // eight pixels from the edge
  expect_box(cells_of(with_lone_cells({disc}), {beside})[0], box_of(disc));
  const auto cells = cells_of(with_lone_cells({disc}), {beside, {160, 120}});
  EXPECT_EQ(cells[0].origin, BoxOrigin::fallback);
  expect_box(cells[1], box_of(disc));
}

TEST(PointedCells, APaleCellIsWhole) {
  const Disc pale{{160, 120}, 52, 52, 0.84};
  for (const cv::Point2d point : {cv::Point2d(160, 120), {172, 110}}) {
    expect_box(cells_of(with_lone_cells({pale}), {point})[0], box_of(pale));
  }
  // Also among others, and with an open rim.
  const Disc open{{160, 120}, 52, 52, 0.78}, other{{204, 120}, 40, 40};
  cv::Mat rgb = paint(with_lone_cells({open, other}));
  cv::Mat opening = rgb(cv::Rect(128, 119, 16, 3));
  rgb(cv::Rect(0, 100, 16, 3)).copyTo(opening);
  expect_box(find_pointed_cells(rgb, {{160, 120}, {204, 120}}).cells[0], box_of(open), 0.85);
}

TEST(PointedCells, ATailBelongsToItsCell) {
  std::vector<Disc> discs = with_lone_cells({{{150, 120}, 36, 36}});
  cv::Mat1b tail = cv::Mat1b::zeros(240, 320);
  const std::vector<cv::Point> corners{{160, 116}, {194, 118}, {194, 121}, {160, 124}};
  cv::fillConvexPoly(tail, corners, 255);
  std::vector<cv::Mat1b> layers{drawn(discs[0], tail.size()) | tail};
  for (std::size_t i = 1; i < discs.size(); ++i) layers.push_back(drawn(discs[i], tail.size()));
  const auto cells = find_pointed_cells(testing::paint_layers(layers, tail.size()), {{148, 118}}).cells;
  expect_box(cells[0], {132, 102, 195, 138});
}

TEST(PointedCells, ElongatedCellsAreWhole) {
  const Disc long_cell{{160, 120}, 62, 24}, neighbour{{160, 147}, 40, 32};
  expect_box(cells_of(with_lone_cells({long_cell}), {{150, 120}})[0], box_of(long_cell), 0.88);
  expect_box(cells_of(with_lone_cells({long_cell, neighbour}), {{150, 120}, {160, 150}})[0],
             box_of(long_cell), 0.8);
}

TEST(PointedCells, ACellThatTheBorderCutsEndsThere) {
  const auto cells = cells_of(with_lone_cells({{{160, 6}}, {{316, 120}}, {{100, 238}}, {{132, 232}}}),
                              {{160, 4}, {312, 120}, {98, 232}, {134, 230}});
  expect_box(cells[0], {140, 0, 180, 26});
  expect_box(cells[1], {296, 100, 320, 140});
  expect_box(cells[2], {80, 218, 120, 240}, 0.8);
  expect_box(cells[3], {112, 212, 152, 240}, 0.8);
}

TEST(PointedCells, WhereThereIsNoCellABoxOfUsualSizeStandsInInsideThePicture) {
  const PointedCells found = find_pointed_cells(paint(with_lone_cells({}, 30)), {{100, 120}, {318, 120}});
  ASSERT_TRUE(found.diameter);
  EXPECT_NEAR(*found.diameter, 30, 1.5);
  for (const PointedCells::Cell& cell : found.cells) EXPECT_EQ(cell.origin, BoxOrigin::fallback);
  EXPECT_NEAR(found.cells[0].box.x_min, 85, 1);
  EXPECT_NEAR(found.cells[0].box.y_max, 135, 1);
  EXPECT_EQ(found.cells[1].box.x_max, 320);
  EXPECT_NEAR(found.cells[1].box.width(), 17, 1);
}

TEST(PointedCells, ASpeckIsNoCell) {
  const auto cells = cells_of(with_lone_cells({{{100, 120}, 6, 6}}), {{100, 120}});
  EXPECT_EQ(cells[0].origin, BoxOrigin::fallback);
  EXPECT_NEAR(cells[0].box.width(), 40, 2);
}

TEST(PointedCells, APictureOfOneColourHasBoxesOfUsualSizeOnly) {
  const PointedCells found =
      find_pointed_cells(cv::Mat(240, 320, CV_8UC3, cv::Scalar(200, 205, 210)), {{160, 120}, {0, 0}});
  EXPECT_FALSE(found.diameter);
  EXPECT_TRUE(found.unpointed.empty());
  EXPECT_EQ(found.cells[0].origin, BoxOrigin::fallback);
  EXPECT_EQ(found.cells[0].box.width(), 40);
  EXPECT_EQ(found.cells[1].box.area(), 20 * 20);
}

TEST(PointedCells, CellsThatNoPointNamesAreReported) {
  const std::vector<Disc> discs = with_lone_cells({{{130, 120}}, {{160, 120}}, {{230, 120}}});
  const PointedCells found = find_pointed_cells(paint(discs), {{128, 120}, {230, 120}, {40, 40}});
  ASSERT_EQ(found.unpointed.size(),
            6U);  // five alone, and what the first pointed cell leaves of its neighbour
  const auto reported = [&](const Box& box, double least) {
    return std::any_of(found.unpointed.begin(), found.unpointed.end(),
                       [&](const Box& b) { return intersection_over_union(b, box) > least; });
  };
  EXPECT_TRUE(reported(box_of(discs[4]), 0.9));
  EXPECT_TRUE(reported({152, 100, 180, 140}, 0.7));
  EXPECT_FALSE(reported(box_of(discs[2]), 0.1));
}

TEST(PointedCells, SizeOfThePictureDoesNotMatter) {
  const Disc left{{130, 120}}, right{{158, 124}};
  const cv::Mat rgb = paint(with_lone_cells({left, right}));
  for (const double scale : {0.6, 2.0}) {
    cv::Mat scaled;
    cv::resize(rgb, scaled, {}, scale, scale, scale < 1 ? cv::INTER_AREA : cv::INTER_CUBIC);
    const auto cells =
        find_pointed_cells(scaled, {{scale * 128, scale * 118}, {scale * 162, scale * 126}}).cells;
    for (std::size_t i = 0; i < 2; ++i) {
      Box box = box_of(i == 0 ? left : right);
      for (double* length : {&box.x_min, &box.y_min, &box.x_max, &box.y_max}) *length *= scale;
      expect_box(cells[i], box, 0.87);
    }
  }
}

TEST(PointedCells, OrderOfPointsDoesNotMatter) {
  const cv::Mat rgb = paint(with_lone_cells({{{120, 110}}, {{200, 108}, 56, 50}}));
  std::vector<cv::Point2d> points{{113, 110}, {128, 112}, {186, 112}, {212, 96}, {40, 40}, {90, 120}};
  const auto cells = find_pointed_cells(rgb, points).cells;
  std::reverse(points.begin(), points.end());
  auto reversed = find_pointed_cells(rgb, points).cells;
  std::reverse(reversed.begin(), reversed.end());
  for (std::size_t i = 0; i < cells.size(); ++i) {
    EXPECT_EQ(cells[i].box.x_min, reversed[i].box.x_min) << i;
    EXPECT_EQ(cells[i].box.y_max, reversed[i].box.y_max) << i;
    EXPECT_EQ(cells[i].origin, reversed[i].origin) << i;
  }
}

TEST(PointedCells, PicturesOfAnyShapeAreTakenWithPointsOrWithout) {
  for (const cv::Size& size :
       {cv::Size(1, 1), cv::Size(2000, 1), cv::Size(2, 1500), cv::Size(7, 5), cv::Size(90, 60)}) {
    cv::Mat rgb(size, CV_8UC3);
    cv::randu(rgb, 0, 255);
    EXPECT_TRUE(find_pointed_cells(rgb, {}).cells.empty());
    const cv::Point2d last(size.width - 0.5, size.height - 0.5);
    for (const PointedCells::Cell& cell : find_pointed_cells(rgb, {{0, 0}, last, last}).cells) {
      EXPECT_GE(cell.box.x_min, 0);
      EXPECT_LE(cell.box.x_max, size.width);
      EXPECT_LE(cell.box.y_max, size.height);
      EXPECT_GT(cell.box.area(), 0);
    }
  }
}

TEST(Outline, OfADiscIsTheDisc) {
  cv::Mat1b mask = drawn({{60, 50}, 40, 40}, {120, 100});
  cv::Mat1f contrast;
  mask.convertTo(contrast, CV_32F, 2 / 255.0);
  cv::GaussianBlur(contrast, contrast, {}, 1);
  OutlineFinder finder(contrast, mask, 40);
  for (const cv::Point2d place : {cv::Point2d(60, 50), {72, 45}, {50, 60}}) {
    const Outline outline = finder.find(place, {});
    EXPECT_GT(intersection_over_union(outline.box(), {40, 30, 80, 70}), 0.9);
    EXPECT_NEAR(cv::norm(outline.centroid() - cv::Point2d(60, 50)), 0, 1);
    EXPECT_TRUE(outline.holds({60, 68}));
    EXPECT_FALSE(outline.holds({60, 73}));
  }
}

TEST(Outline, LeavesOtherPointsOutside) {
  // Two discs without an edge between them.
  cv::Mat1b mask = drawn({{60, 50}}, {160, 100}) | drawn({{74, 50}}, {160, 100});
  cv::Mat1f contrast;
  mask.convertTo(contrast, CV_32F, 2 / 255.0);
  OutlineFinder finder(contrast, mask, 40);
  const cv::Point2d place(54, 50), other(84, 50);
  EXPECT_TRUE(finder.find(place, {}).holds(other));
  EXPECT_FALSE(finder.find(place, {other}).holds(other));
}

}  // namespace
}  // namespace smearscope::corpus
