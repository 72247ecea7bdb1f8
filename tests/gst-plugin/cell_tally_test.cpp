#include "tally/cell_tally.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <optional>
#include <random>
#include <set>

#include "counted.h"
#include "smear/stage.h"
#include "smear_camera.h"

namespace smearscope {
namespace {

using smear::StagePath;
using testing::counted;
using testing::SmearCamera;

constexpr double least_sharpness = 0.15;

smear::StageSettings stage(StagePath path, double speed, const SmearCamera& camera) {
  smear::StageSettings settings;
  settings.path = path;
  settings.speed_um_per_s = speed;
  settings.field_width_um = SmearCamera::width * camera.pixel_um();
  settings.field_height_um = SmearCamera::height * camera.pixel_um();
  return settings;
}

struct Outcome {
  std::uint64_t there = 0, counted = 0;
  std::size_t cells = 0, renamed = 0;  // cells that had an identity, and those that had several
  std::uint64_t parts = 0;
};

struct Shot {  // what a detection found, and where
  std::vector<Cell> cells;
  std::vector<std::uint64_t> truth;
  smear::StagePosition at{};
  unsigned frame = 0;
};

// A ride of the stage, ten frames a second. With `lag` a detection takes so many frames, and the next one
// begins with the frame with which its cells come.
Outcome ride(StagePath path, double speed, double seconds, unsigned lag = 0, double missed = 0,
             double jitter = 0) {
  SmearCamera camera;
  CellTally tally(least_sharpness);
  std::mt19937 random(3);
  std::set<std::uint64_t> whole;
  std::optional<Shot> running, shown;
  std::map<std::uint64_t, std::set<std::uint64_t>> identities;
  const smear::StageSettings settings = stage(path, speed, camera);
  for (unsigned n = 0; n < seconds * 10; ++n) {
    const smear::StagePosition now = smear::stage_at(settings, n / 10.0);
    camera.look(now.x_um, now.y_um, now.focus_um);
    if (!running || n - running->frame >= lag) {
      if (running) shown = running;
      running =
          Shot{testing::flawed(camera.cells(whole), missed, jitter, random), camera.identities(), now, n};
    }
    if (lag == 0) shown = running;
    std::vector<Cell> cells;
    std::optional<unsigned> age;
    if (shown) {
      age = n - shown->frame;
      cells = testing::carried(shown->cells, (shown->at.x_um - now.x_um) / camera.pixel_um(),
                               (shown->at.y_um - now.y_um) / camera.pixel_um(), *age);
    }
    tally.update(camera.frame(), age, cells);
    if (missed > 0 || lag > 0) continue;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (cells[i].identity > 0) identities[shown->truth[i]].insert(cells[i].identity);
    }
  }
  Outcome outcome{whole.size(), counted(tally), identities.size(), 0, tally.tally().parts};
  for (const auto& [cell, given] : identities) outcome.renamed += given.size() > 1;
  return outcome;
}

// Whether a cell at the margin was whole may go either way.
void expect_near(const Outcome& outcome, double share) {
  EXPECT_GT(outcome.there, 30U);
  EXPECT_NEAR(static_cast<double>(outcome.counted), static_cast<double>(outcome.there),
              1 + share * static_cast<double>(outcome.there));
  EXPECT_EQ(outcome.parts, 1U);
}

// With a detector that makes no mistake each cell counts once, however the stage goes, there and back again.
TEST(CellTally, CountsEachCellOnceOnEveryPath) {
  for (const StagePath path :
       {StagePath::pan, StagePath::stop_and_go, StagePath::there_and_back, StagePath::raster}) {
    SCOPED_TRACE(static_cast<int>(path));
    const Outcome outcome = ride(path, 60, 14);
    expect_near(outcome, 0.01);
    EXPECT_LE(outcome.renamed, outcome.cells / 50);
  }
}

// A slow device's detections come late, with boxes moved to the frames that pass meanwhile.
TEST(CellTally, CountsTheSameFromDetectionsThatComeLate) {
  expect_near(ride(StagePath::raster, 30, 20, 6), 0.15);  // what has left the picture by then
  expect_near(ride(StagePath::raster, 30, 20, 2), 0.07);
}

// Cells missed now and then, and boxes that tremble, are the same cells.
TEST(CellTally, ForgivesADetectorItsMistakes) {
  expect_near(ride(StagePath::raster, 40, 20, 0, 0.1, 2), 0.05);
}

// ---- leaps and focus on the synthetic smear

class LeapingTally : public ::testing::Test {
 protected:
  void look(double x_um, double y_um, double focus_um = 0) {
    camera_.look(x_um, y_um, focus_um);
    std::vector<Cell> cells = camera_.cells(whole_);
    tally_.update(camera_.frame(), 0, cells);
  }

  SmearCamera camera_;
  CellTally tally_{least_sharpness};
  std::set<std::uint64_t> whole_;
};

// A leap to another place and back: what was counted there is known again.
TEST_F(LeapingTally, AfterALeapAKnownPlaceIsFoundAgain) {
  for (const double x : {9000.0, 12000.0, 9004.0, 12003.0, 15000.0, 8998.0}) look(x, 8000);
  EXPECT_EQ(counted(tally_), whole_.size());
  EXPECT_EQ(tally_.tally().parts, 3U);
}

// So it is after a seek, when motion can't be measured.
TEST_F(LeapingTally, AfterASeekAKnownPlaceIsFoundAgain) {
  look(9000, 8000);
  tally_.new_view();
  look(9003, 8002);
  EXPECT_EQ(counted(tally_), whole_.size());
  EXPECT_EQ(tally_.tally().parts, 1U);
}

// Out of focus a detector finds what isn't there: nothing counts until the picture is sharp, at the same
// place.
TEST_F(LeapingTally, OutOfFocusNothingCounts) {
  for (int i = 0; i < 5; ++i) look(9000, 8000);
  const std::uint64_t before = counted(tally_);
  for (const double focus : {1.0, 2.0, 4.0, 8.0, 16.0, 30.0}) {
    camera_.look(9000, 8000, focus);
    std::vector<Cell> ghosts;
    for (int k = 0; k < 30; ++k) {
      const float x = 20.0F * static_cast<float>(k);
      ghosts.push_back({{x, 200, x + 35, 235}, 0.9, 1, "rbc", 0});
    }
    tally_.update(camera_.frame(), 0, ghosts);
  }
  EXPECT_EQ(counted(tally_), before);
  EXPECT_EQ(tally_.tally().out_of_focus + tally_.tally().unplaced, 6U);
  look(9000, 8000);
  EXPECT_EQ(counted(tally_), before);
  EXPECT_EQ(tally_.tally().parts, 1U);
}

// The view is what five frames in a row are: one blurred frame of a moving stage is no bad focus.
TEST_F(LeapingTally, AViewThatLastsIsTold) {
  const auto views = [&](double focus_um, int frames) {
    std::vector<View> views;
    for (int i = 0; i < frames; ++i) {
      camera_.look(9000, 8000, focus_um);
      std::vector<Cell> none;
      tally_.update(camera_.frame(), std::nullopt, none);
      views.push_back(tally_.tally().view);
    }
    return views;
  };
  using Views = std::vector<View>;
  EXPECT_EQ(views(0, 6), Views(6, View::good));
  EXPECT_EQ(views(8, 1), Views(1, View::good));
  EXPECT_EQ(views(0, 1), Views(1, View::good));
  EXPECT_EQ(views(8, 6),
            (Views{View::good, View::good, View::good, View::good, View::out_of_focus, View::out_of_focus}));
  EXPECT_EQ(views(0, 5).back(), View::good);
  views(8, 5);
  tally_.new_view();
  EXPECT_EQ(tally_.tally().view, View::good);
}

// Red cells tell how large a pixel is, to a few percent of what it is.
TEST_F(LeapingTally, RedCellsTellThePixelSize) {
  EXPECT_EQ(tally_.tally().pixel_size_um, 0);
  for (int i = 0; i < 8; ++i) look(9000 + 20 * i, 8000);
  EXPECT_NEAR(tally_.tally().pixel_size_um, camera_.pixel_um(), 0.05 * camera_.pixel_um());
}

// A detector that fails for a while does not take cells back.
TEST_F(LeapingTally, ADetectorThatFindsNothingTakesNothingBack) {
  look(9000, 8000);
  const std::uint64_t before = counted(tally_);
  ASSERT_GT(before, 6U);
  for (int i = 0; i < 5; ++i) {
    camera_.look(9000, 8000);
    std::vector<Cell> few;
    if (i > 1) few.push_back({{300, 200, 340, 240}, 0.5, 1, "rbc", 0});
    tally_.update(camera_.frame(), 0, few);
  }
  EXPECT_EQ(counted(tally_), before);
  EXPECT_EQ(tally_.tally().unplaced, 5U);
  EXPECT_EQ(tally_.tally().parts, 1U);
}

}  // namespace
}  // namespace smearscope
