// CellTally: parts of a slide that are seen apart, and turn out to be one.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "counted.h"
#include "smear_camera.h"
#include "tally/cell_tally.h"

namespace smearscope {
namespace {

using testing::counted;
using testing::SmearCamera;

constexpr double step_um = 5;  // of a field of 47 x 35

class JoiningTally : public ::testing::Test {
 protected:
  void look(double x_um, double y_um) {
    camera_.look(x_um, y_um);
    std::vector<Cell> cells = camera_.cells(whole_);
    tally_.update(camera_.frame(), 0, cells);
    now_.clear();
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (cells[i].identity > 0) now_[camera_.identities()[i]] = cells[i].identity;
    }
  }
  // From the one to the other, the first look included: after another place it is a leap.
  void pan(double from_um, double to_um, double y_um = 8000) {
    const int steps = static_cast<int>(std::abs(to_um - from_um) / step_um);
    for (int i = 0; i <= steps; ++i) look(from_um + (to_um - from_um) * i / steps, y_um);
  }
  void expect_each_once() {
    EXPECT_NEAR(static_cast<double>(counted(tally_)), static_cast<double>(whole_.size()),
                1 + 0.01 * static_cast<double>(whole_.size()));
  }

  SmearCamera camera_;
  CellTally tally_{0.15};
  std::set<std::uint64_t> whole_;
  std::map<std::uint64_t, std::uint64_t> now_;  // identities of the last look, by the smear's own
};

// The stage leaps to where it has not been, and comes back from there over cells that have been counted.
TEST_F(JoiningTally, APartThatComesToAKnownOneIsPartOfIt) {
  pan(9000, 9120);
  const auto before = now_;
  ASSERT_GT(before.size(), 4U);
  pan(9260, 9150);
  EXPECT_EQ(tally_.tally().parts, 2U);
  pan(9145, 9000);
  EXPECT_EQ(tally_.tally().parts, 1U);
  expect_each_once();
  pan(9005, 9120);
  for (const auto& [cell, identity] : before) EXPECT_EQ(now_[cell], identity);
  pan(9125, 9260);  // what was seen in the part that was joined is known there
  expect_each_once();
  EXPECT_EQ(tally_.tally().parts, 1U);
}

// The older part may come to the younger one as well.
TEST_F(JoiningTally, AKnownPartThatComesToAnotherIsPartOfIt) {
  pan(9000, 9060);
  pan(9200, 9140);
  pan(9060, 9200);
  EXPECT_EQ(tally_.tally().parts, 1U);
  expect_each_once();
}

// Three parts, joined one by one, and a place to return to in a part that was joined.
TEST_F(JoiningTally, PartsAreJoinedOneByOne) {
  pan(9000, 9060);
  pan(9200, 9260);
  pan(9400, 9340);
  EXPECT_EQ(tally_.tally().parts, 3U);
  pan(9335, 9200);
  EXPECT_EQ(tally_.tally().parts, 2U);
  pan(9195, 9000);
  EXPECT_EQ(tally_.tally().parts, 1U);
  expect_each_once();
  look(9380, 8000);
  look(9205, 8000);
  EXPECT_EQ(tally_.tally().parts, 1U);
  expect_each_once();
}

// Parts that show no cell of each other stay apart, however long they are looked at.
TEST_F(JoiningTally, PartsThatDoNotMeetStayApart) {
  pan(9000, 9200);
  pan(12000, 12300);
  pan(12300, 12000, 8004);
  EXPECT_EQ(tally_.tally().parts, 2U);
  expect_each_once();
}

// What the part held is what the slide holds: a new slide has one part again.
TEST_F(JoiningTally, ANewSlideHasOnePart) {
  pan(9000, 9060);
  pan(9200, 9000);
  tally_.new_slide();
  whole_.clear();
  EXPECT_EQ(tally_.tally().parts, 0U);
  pan(12000, 12050);
  EXPECT_EQ(tally_.tally().parts, 1U);
  expect_each_once();
}

}  // namespace
}  // namespace smearscope
