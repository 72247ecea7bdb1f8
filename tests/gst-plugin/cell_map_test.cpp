#include "tally/cell_map.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <random>
#include <vector>

namespace smearscope {
namespace {

SlideBox box_at(double x, double y, double side) {
  return {x, y, x + side, y + side};
}

std::vector<SlideBox> random_boxes(std::size_t count, double range, std::mt19937& random) {
  std::uniform_real_distribution<double> place(-range, range), side(10, 90);
  std::vector<SlideBox> boxes;
  for (std::size_t i = 0; i < count; ++i) {
    const double x = place(random), y = place(random);
    boxes.push_back({x, y, x + side(random), y + side(random)});
  }
  return boxes;
}

// The same cells as by looking at each, anywhere on the slide.
TEST(CellMap, FindsWhatLiesInAnArea) {
  std::mt19937 random(1);
  for (const double far : {0.0, 3e9}) {
    CellMap map;
    std::vector<SlideBox> boxes = random_boxes(2000, 3000, random);
    for (SlideBox& box : boxes) map.add(box = box.moved(far, -far));
    for (SlideBox area : random_boxes(50, 3000, random)) {
      area = area.moved(far, -far).grown(200);
      std::vector<std::size_t> expected;
      for (std::size_t i = 0; i < boxes.size(); ++i) {
        const Place centre = boxes[i].centre();
        if (centre.x >= area.x_min && centre.x <= area.x_max && centre.y >= area.y_min &&
            centre.y <= area.y_max)
          expected.push_back(i);
      }
      EXPECT_EQ(map.in(area), expected);
    }
  }
}

// A cell that was moved, also after its box had crept, is found where it is and not where it was; one that
// was removed nowhere, and the others keep their numbers.
TEST(CellMap, FindsWhatWasMovedWhereItIs) {
  CellMap map;
  for (int i = 0; i < 3; ++i) map.add(box_at(100, 100, 40));
  for (int i = 0; i < 10; ++i) map.see(1, box_at(125, 125, 40));
  map.move(1, 5000, -300);
  map.remove(0);
  EXPECT_EQ(map.in(box_at(0, 0, 300)), std::vector<std::size_t>{2});
  EXPECT_EQ(map.in(box_at(5000, -300, 300)), std::vector<std::size_t>{1});
  EXPECT_EQ(map.nearest({5140, -160}, 50), std::optional<std::size_t>(1));
  EXPECT_EQ(map[0].width(), 0);
  EXPECT_EQ(map.size(), 3U);
  map.move(1, -5000, 300);
  EXPECT_EQ(map.in(box_at(0, 0, 300)), (std::vector<std::size_t>{1, 2}));
}

// The nearest centre, as by looking at each.
TEST(CellMap, FindsTheNearest) {
  std::mt19937 random(4);
  CellMap map;
  const std::vector<SlideBox> boxes = random_boxes(3000, 1500, random);
  for (const SlideBox& box : boxes) map.add(box);
  std::uniform_real_distribution<double> place(-1600, 1600), within(1, 60);
  int found = 0;
  for (int round = 0; round < 300; ++round) {
    const Place at{place(random), place(random)};
    double least = within(random);
    const double limit = least;
    std::optional<std::size_t> expected;
    for (std::size_t i = 0; i < boxes.size(); ++i) {
      const double distance = std::hypot(boxes[i].centre().x - at.x, boxes[i].centre().y - at.y);
      if (distance >= least) continue;
      least = distance;
      expected = i;
    }
    EXPECT_EQ(map.nearest(at, limit), expected);
    found += expected.has_value();
  }
  EXPECT_GT(found, 100);
  EXPECT_LT(found, 290);
}

// A box is the mean of its looks, and follows one that creeps.
TEST(CellMap, ABoxIsTheMeanOfItsLooks) {
  CellMap map;
  map.add(box_at(0, 0, 10));
  map.see(0, box_at(3, 6, 10));
  EXPECT_DOUBLE_EQ(map[0].x_min, 1.5);
  EXPECT_DOUBLE_EQ(map[0].y_max, 13);
  for (int i = 0; i < 400; ++i) map.see(0, box_at(20, 20, 10));
  EXPECT_NEAR(map[0].x_min, 20, 0.01);
  EXPECT_EQ(map.in({24, 24, 26, 26}), std::vector<std::size_t>{0});
  map.clear();
  EXPECT_EQ(map.size(), 0U);
  EXPECT_TRUE(map.in({-100, -100, 100, 100}).empty());
}

// Best overlaps first, each cell once: by taking the best free pair again and again.
TEST(Match, TakesTheBestPairsFirst) {
  std::mt19937 random(2);
  const SlideBox view{-150, -150, 150, 150};
  for (int round = 0; round < 50; ++round) {
    const std::vector<SlideBox> found = random_boxes(20, 150, random), known = random_boxes(20, 150, random);
    std::vector<std::ptrdiff_t> expected(found.size(), -1);
    std::vector<bool> taken(known.size(), false);
    for (;;) {
      double best = 1.0 / 3;
      std::ptrdiff_t f = -1, k = -1;
      for (std::size_t i = 0; i < found.size(); ++i) {
        for (std::size_t j = 0; j < known.size(); ++j) {
          const SlideBox seen{std::max(known[j].x_min, view.x_min), std::max(known[j].y_min, view.y_min),
                              std::min(known[j].x_max, view.x_max), std::min(known[j].y_max, view.y_max)};
          if (expected[i] >= 0 || taken[j] || overlap_of(found[i], seen) <= best) continue;
          best = overlap_of(found[i], seen);
          f = static_cast<std::ptrdiff_t>(i);
          k = static_cast<std::ptrdiff_t>(j);
        }
      }
      if (f < 0) break;
      expected[static_cast<std::size_t>(f)] = k;
      taken[static_cast<std::size_t>(k)] = true;
    }
    EXPECT_EQ(match(found, known, view), expected);
  }
}

// Of a cell that reaches out of the picture the part inside is compared.
TEST(Match, ComparesWhatIsInThePicture) {
  const SlideBox view{0, 0, 100, 100};
  EXPECT_EQ(match({{80, 10, 100, 50}}, {{80, 10, 180, 50}}, view), std::vector<std::ptrdiff_t>{0});
  EXPECT_EQ(match({{80, 10, 100, 50}}, {{80, 10, 180, 50}}, view.grown(100)),
            std::vector<std::ptrdiff_t>{-1});
  EXPECT_TRUE(match({}, {{0, 0, 1, 1}}, view).empty());
}

TEST(Overlap, IsIntersectionOverUnion) {
  EXPECT_DOUBLE_EQ(overlap_of({0, 0, 10, 10}, {5, 0, 15, 10}), 1.0 / 3);
  EXPECT_EQ(overlap_of({0, 0, 10, 10}, {10, 0, 20, 10}), 0);
  EXPECT_EQ(overlap_of({0, 0, 0, 0}, {0, 0, 0, 0}), 0);
}

}  // namespace
}  // namespace smearscope
