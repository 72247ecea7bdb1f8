#include "tally/whereabouts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace smearscope {
namespace {

// Cells of a dense smear: some 70 pixels wide, about as far apart, some smaller.
CellMap dense_smear(double width, double height, std::mt19937& random, double most_shift = 18) {
  std::uniform_real_distribution<double> shift(-most_shift, most_shift), fraction;
  CellMap map;
  for (double y = 0; y < height; y += 85) {
    for (double x = 0; x < width; x += 85) {
      if (fraction(random) < 0.15) continue;
      const double side = fraction(random) < 0.1 ? 25 : 65 + 10 * fraction(random);
      const double left = x + shift(random), top = y + shift(random);
      map.add({left, top, left + side, top + side});
    }
  }
  return map;
}

// What a picture of the map's part at `corner` shows, from its own corner on, found with errors of a few
// pixels, and some cells more and less.
std::vector<SlideBox> picture_of(const CellMap& map, const Place& corner, std::mt19937& random) {
  std::normal_distribution<double> error(0, 2);
  std::uniform_real_distribution<double> fraction;
  std::vector<SlideBox> found;
  for (const std::size_t cell : map.in({corner.x, corner.y, corner.x + 640, corner.y + 480})) {
    if (fraction(random) < 0.15) continue;
    found.push_back(map[cell].moved(-corner.x + error(random), -corner.y + error(random)));
  }
  for (int i = 0; i < 3; ++i) {
    const double x = 600 * fraction(random), y = 440 * fraction(random);
    found.push_back({x, y, x + 70, y + 70});
  }
  return found;
}

// Anywhere on a large map, the picture is found to within two pixels.
TEST(FindPlace, FindsAPictureOnTheMap) {
  std::mt19937 random(1);
  const CellMap map = dense_smear(6000, 6000, random);
  ASSERT_GT(map.size(), 4000U);
  std::uniform_real_distribution<double> place(0, 5300);
  for (int round = 0; round < 20; ++round) {
    const Place corner{place(random), place(random)};
    const std::optional<FoundPlace> found = find_place(picture_of(map, corner, random), map);
    ASSERT_TRUE(found.has_value());
    EXPECT_NEAR(found->way.x, corner.x, 2);
    EXPECT_NEAR(found->way.y, corner.y, 2);
  }
}

// Of more cells than are searched the newest are.
TEST(FindPlace, SearchesTheNewestCells) {
  std::mt19937 random(5);
  CellMap map = dense_smear(2000, 2000, random);
  const std::vector<SlideBox> first = picture_of(map, {300, 300}, random);
  EXPECT_TRUE(find_place(first, map).has_value());
  const CellMap more = dense_smear(21000, 21000, random);
  for (std::size_t i = 0; i < more.size(); ++i) map.add(more[i].moved(1e6, 0));
  ASSERT_GT(map.size(), 50000U);
  const std::optional<FoundPlace> last = find_place(picture_of(more, {20000, 20000}, random), map);
  ASSERT_TRUE(last.has_value());
  EXPECT_NEAR(last->way.x, 1e6 + 20000, 2);
  EXPECT_FALSE(find_place(first, map).has_value());
}

// What lies where nobody looks is not found, but is no reason not to find it elsewhere.
TEST(FindPlace, LeavesOutAnArea) {
  std::mt19937 random(7);
  CellMap map = dense_smear(1500, 1200, random);
  const std::vector<SlideBox> picture = picture_of(map, {300, 300}, random);
  const std::size_t size = map.size();
  for (std::size_t i = 0; i < size; ++i) map.add(map[i].moved(1e6, 0));
  EXPECT_FALSE(find_place(picture, map).has_value()) << "it may be the one or the other";
  const SlideBox first{-1e5, -1e5, 1e5, 1e5};
  const std::optional<FoundPlace> found = find_place(picture, map, first);
  ASSERT_TRUE(found.has_value());
  const std::optional<FoundPlace> other = find_place(picture, map, first.moved(1e6, 0));
  ASSERT_TRUE(other.has_value());
  EXPECT_NEAR(found->way.x - other->way.x, 1e6, 1);
}

// Pictures of another slide are not found, however regularly cells are packed.
TEST(FindPlace, DoesNotFindWhatIsNotThere) {
  std::mt19937 random(2);
  for (const double shift : {0.0, 5.0, 8.0, 12.0, 18.0, 30.0}) {
    const CellMap map = dense_smear(4000, 4000, random, shift),
                  other = dense_smear(3000, 3000, random, shift);
    std::uniform_real_distribution<double> place(0, 2300);
    int wrong = 0;
    for (int round = 0; round < 60; ++round)
      wrong += find_place(picture_of(other, {place(random), place(random)}, random), map).has_value();
    EXPECT_LE(wrong, 1) << shift;
  }
}

// A few cells lie alike elsewhere, too: how many it takes grows with the map.
TEST(FindPlace, AFewCellsProveNothing) {
  std::mt19937 random(3);
  const CellMap large = dense_smear(6000, 6000, random), small = dense_smear(600, 600, random);
  ASSERT_LT(small.size(), 60U);
  const auto finds = [](const CellMap& map, std::size_t cells) {
    std::vector<SlideBox> found;
    for (const std::size_t cell : map.in({100, 100, 500, 500})) found.push_back(map[cell].moved(-100, -100));
    found.resize(std::min(found.size(), cells));
    EXPECT_EQ(found.size(), cells);
    return find_place(found, map).has_value();
  };
  EXPECT_TRUE(finds(small, 7));
  EXPECT_FALSE(finds(small, 5));
  EXPECT_TRUE(finds(large, 9));
  EXPECT_FALSE(finds(large, 6));
  EXPECT_FALSE(find_place(picture_of(large, {0, 0}, random), CellMap()).has_value());
  EXPECT_FALSE(find_place({}, large).has_value());
}

// What lies near is taken, and only what then lies close agrees.
TEST(Settle, CountsWhatAgrees) {
  CellMap map;
  std::vector<SlideBox> found;
  for (int i = 0; i < 5; ++i) {
    map.add({100.0 * i, 0, 100.0 * i + 64, 64});
    found.push_back(map[static_cast<std::size_t>(i)].moved(-1010, 5));
  }
  found[4] = found[4].moved(9, 0);  // an eighth is 8
  const FoundPlace place = settle(found, map, {1000, 0});
  EXPECT_DOUBLE_EQ(place.way.x, 1010);
  EXPECT_DOUBLE_EQ(place.way.y, -5);
  EXPECT_EQ(place.agree, 4U);
  EXPECT_EQ(settle(found, map, {950, 0}).agree, 0U);
  EXPECT_EQ(settle({}, map, {0, 0}).agree, 0U);
}

// The median of what lies near: a cell that is new, or far off, does not move it.
TEST(SmallCorrection, IsTheMedianOfTheNearOnes) {
  std::vector<SlideBox> known, found;
  for (int i = 0; i < 5; ++i) {
    known.push_back({100.0 * i, 0, 100.0 * i + 60, 60});
    found.push_back(known.back().moved(-7, 4));
  }
  found[4] = found[4].moved(20, 0);
  found.push_back({900, 900, 960, 960});
  const std::optional<Place> way = small_correction(found, known);
  ASSERT_TRUE(way.has_value());
  EXPECT_DOUBLE_EQ(way->x, 7);
  EXPECT_DOUBLE_EQ(way->y, -4);
  known.resize(3);
  EXPECT_FALSE(small_correction(found, known).has_value()) << "of fewer than four";
  EXPECT_FALSE(small_correction({}, known).has_value());
}

}  // namespace
}  // namespace smearscope
