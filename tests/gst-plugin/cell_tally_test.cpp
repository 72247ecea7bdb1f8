#include "tally/cell_tally.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <set>

#include "smear/stage.h"
#include "smear_camera.h"
#include "test_picture.h"

namespace smearscope {
namespace {

using smear::StagePath;
using testing::SmearCamera;

constexpr double least_sharpness = 0.15;

std::uint64_t counted(const CellTally& tally) {
  std::uint64_t sum = 0;
  for (const Tally::Row& row : tally.tally().rows) sum += row.count;
  return sum;
}

std::uint64_t counted(const CellTally& tally, const std::string& name) {
  for (const Tally::Row& row : tally.tally().rows) {
    if (row.class_name == name) return row.count;
  }
  return 0;
}

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

// ---- a still camera over a picture with cells at will

class StillTally : public ::testing::Test {
 protected:
  void show(std::vector<Cell> cells) {
    tally_.update(testing::frame_of(picture_), 0, cells);
    shown_ = cells;
  }
  static Cell cell(float x, float y, const std::string& name = "rbc", int label = 1,
                   double confidence = 0.9) {
    return {{x, y, x + 40, y + 40}, confidence, label, name, 0};
  }

  cv::Mat picture_ = testing::textured_slide(640, 480, 1, 3);
  CellTally tally_{least_sharpness};
  std::vector<Cell> shown_;
};

// A cell that reaches the edge may be cut by it: it counts when it is seen whole.
TEST_F(StillTally, ACellCutByTheEdgeWaits) {
  show({cell(1, 100), cell(300, 439), cell(200, 100)});
  EXPECT_EQ(counted(tally_), 1U);
  EXPECT_EQ(shown_[0].identity, 0U);
  EXPECT_EQ(shown_[2].identity, 1U);
  show({cell(5, 100), cell(300, 435), cell(200, 100)});
  EXPECT_EQ(counted(tally_), 3U);
}

// The name under which a cell was found most often; of equals the surer one.
TEST_F(StillTally, ACellGoesByItsMostFrequentName) {
  show({cell(100, 100, "wbc", 0, 0.99)});
  show({cell(100, 100, "lymphocyte", 2, 0.6)});
  EXPECT_EQ(counted(tally_, "wbc"), 1U);
  show({cell(100, 100, "lymphocyte", 2, 0.6)});
  EXPECT_EQ(counted(tally_, "wbc"), 0U);
  EXPECT_EQ(counted(tally_, "lymphocyte"), 1U);
  for (int i = 0; i < 6; ++i) show({cell(100, 100, "name " + std::to_string(i), 3 + i)});
  EXPECT_EQ(counted(tally_, "lymphocyte"), 1U) << "more names than are kept for a cell";
  EXPECT_EQ(counted(tally_), 1U);
}

// Found on less than half of the detections that saw its place, it was none.
TEST_F(StillTally, ACellCountsWhileItIsFoundHalfTheTime) {
  const std::vector<Cell> all{cell(100, 100), cell(300, 100), cell(500, 100)},
      rest(all.begin(), all.begin() + 2);
  show(all);
  EXPECT_EQ(counted(tally_), 3U);
  show(rest);
  EXPECT_EQ(counted(tally_), 3U) << "one of two";
  show(rest);
  EXPECT_EQ(counted(tally_), 2U) << "one of three";
  show(all);
  EXPECT_EQ(counted(tally_), 3U);
}

// Two cells whose boxes overlap are two, on every frame.
TEST_F(StillTally, TouchingCellsStayApart) {
  for (int i = 0; i < 5; ++i) show({cell(100, 100), cell(118, 100), cell(118, 118)});
  EXPECT_EQ(counted(tally_), 3U);
  EXPECT_EQ((std::set<std::uint64_t>{shown_[0].identity, shown_[1].identity, shown_[2].identity}.size()), 3U);
}

// A detection is looked at once, though its cells stay on the frames after it, and none is made up before it.
TEST_F(StillTally, EachDetectionCountsOnce) {
  std::vector<Cell> none;
  tally_.update(testing::frame_of(picture_), std::nullopt, none);
  EXPECT_EQ(tally_.tally().detections, 0U);
  for (const unsigned age : {0U, 1U, 2U, 1U, 2U, 0U}) {
    std::vector<Cell> cells{cell(100, 100)};
    tally_.update(testing::frame_of(picture_), age, cells);
    EXPECT_EQ(cells[0].identity, 1U);
  }
  EXPECT_EQ(tally_.tally().detections, 3U);
  std::vector<Cell> cells{cell(300, 100)};
  tally_.update(testing::frame_of(picture_), std::numeric_limits<unsigned>::max(), cells);
  EXPECT_EQ(counted(tally_), 1U) << "older than the stream";
}

// Metadata may hold anything.
TEST_F(StillTally, BoxesThatAreNoneDoNoHarm) {
  const float nan = std::numeric_limits<float>::quiet_NaN(),
              infinity = std::numeric_limits<float>::infinity();
  std::vector<Cell> cells{cell(100, 100), cell(nan, 100), cell(-infinity, 0), cell(1e30F, 5), cell(5, -1e9F)};
  cells.push_back({{50, 50, 40, 40}, 0.5, 1, "rbc", 0});
  cells.push_back({{50, 50, 50, 90}, 0.5, 1, "rbc", 0});
  cells.push_back({{-infinity, -infinity, infinity, infinity}, nan, -7, "", 0});
  for (int i = 0; i < 3; ++i) show(cells);
  EXPECT_EQ(counted(tally_), 1U);
}

// Names come from metadata: so many are enough, and cells of others are left out.
TEST_F(StillTally, NamesAreBounded) {
  for (int i = 0; i < 40; ++i) {
    std::vector<Cell> cells;
    for (int k = 0; k < 10; ++k)
      cells.push_back(
          cell(static_cast<float>(50 * k + 10), static_cast<float>(10 * i), std::to_string(10 * i + k)));
    show(cells);
  }
  EXPECT_EQ(tally_.tally().rows.size(), 256U);
}

TEST_F(StillTally, ANewSlideBeginsAnew) {
  show({cell(100, 100), cell(200, 100)});
  tally_.new_slide();
  EXPECT_TRUE(tally_.tally().rows.empty());
  EXPECT_EQ(tally_.tally().parts, 0U);
  show({cell(100, 100)});
  EXPECT_EQ(counted(tally_), 1U);
  EXPECT_EQ(shown_[0].identity, 3U) << "another cell than those of the slide before";
}

// Pictures that have nothing to do with each other, as from a folder: a cell at the same place is another.
TEST_F(StillTally, ACellOfAnotherPictureIsAnother) {
  for (unsigned seed = 1; seed <= 4; ++seed) {
    picture_ = testing::textured_slide(640, 480, seed, 3);
    show({cell(300, 200, "wbc", 0), cell(100, 100)});
  }
  EXPECT_EQ(counted(tally_), 8U);
  EXPECT_EQ(tally_.tally().parts, 4U);
}

// Lighter or darker, the picture is the same, and so are its cells.
TEST_F(StillTally, ALampThatFlickersIsNoLeap) {
  const cv::Mat picture = picture_.clone();
  for (int i = 0; i < 40; ++i) {
    picture.convertTo(picture_, -1, 1 - 0.2 * (i / 4 % 3), 15 * (i / 4 % 2));
    show({cell(100, 100), cell(300, 100)});
  }
  EXPECT_EQ(counted(tally_), 2U);
  EXPECT_EQ(tally_.tally().parts, 1U);
  for (int i = 0; i < 300; ++i) {
    picture.convertTo(picture_, -1, 0.5, 0.2 * i);
    show({cell(100, 100), cell(300, 100)});
  }
  EXPECT_EQ(counted(tally_), 2U);
}

// One frame of something else, with a cell that is none, and back: the cells there are known again.
TEST_F(StillTally, AForeignFrameForgetsNothing) {
  const cv::Mat picture = picture_.clone();
  const std::vector<Cell> cells{cell(100, 100), cell(300, 100), cell(200, 250)};
  for (int i = 0; i < 3; ++i) show(cells);
  picture_ = testing::textured_slide(640, 480, 9, 3);
  show({cell(400, 300)});
  picture_ = picture;
  for (int i = 0; i < 3; ++i) show(cells);
  EXPECT_EQ(counted(tally_), 4U);
  EXPECT_EQ(tally_.tally().parts, 2U);
}

// A cell cut by the edge on the frame that was looked at is cut, however far inside it has come since.
TEST_F(StillTally, ACutCellThatHasMovedInIsCut) {
  const cv::Mat slide = testing::textured_slide(800, 600, 1, 3);
  const auto show_at = [&](double x, std::optional<unsigned> age, std::vector<Cell> cells) {
    tally_.update(testing::frame_of(testing::view_at(slide, x, 0, 640, 480)), age, cells);
  };
  show_at(0, std::nullopt, {});
  show_at(40, 1, {{{575, 100, 600, 160}, 0.9, 1, "rbc", 0}, cell(200, 100)});  // reached to 640 before
  EXPECT_EQ(counted(tally_), 1U);
  show_at(40, 0, {{{575, 100, 635, 160}, 0.9, 1, "rbc", 0}, cell(200, 100)});
  EXPECT_EQ(counted(tally_), 2U);
}

// What was found before a cut is no cell of what came after it.
TEST_F(StillTally, CellsFromBeforeACutDoNotCount) {
  std::vector<Cell> none, cells{cell(100, 100), cell(300, 100), cell(200, 250)};
  tally_.update(testing::frame_of(picture_), std::nullopt, none);
  picture_ = testing::textured_slide(640, 480, 9, 3);
  tally_.update(testing::frame_of(picture_), 1, cells);
  EXPECT_EQ(counted(tally_), 0U);
  EXPECT_EQ(tally_.tally().unplaced, 1U);
  EXPECT_EQ(cells[0].identity, 0U);
}

// Where motion errs the known cells correct it, by up to half a cell at once.
TEST_F(StillTally, KnownCellsCorrectThePlace) {
  for (const std::size_t count : {5U, 8U}) {
    tally_.new_slide();
    std::vector<Cell> cells;
    for (std::size_t i = 0; i < count; ++i) cells.push_back(cell(60.0F * static_cast<float>(i) + 20, 100));
    show(cells);
    for (int step = 0; step < 10; ++step) {
      for (Cell& each : cells)
        each.box = {each.box.x_min + 13, each.box.y_min + 13, each.box.x_max + 13, each.box.y_max + 13};
      show(cells);
      EXPECT_EQ(shown_[0].identity, shown_[1].identity - 1);
    }
    EXPECT_EQ(counted(tally_), count);
    EXPECT_EQ(tally_.tally().parts, 1U);
  }
}

// However many cells there are said to be, a frame takes a bounded time.
TEST_F(StillTally, ACrowdOfCellsIsBounded) {
  std::vector<Cell> crowd(20000, cell(100, 100));
  for (int i = 0; i < 3; ++i) show(crowd);
  EXPECT_LE(counted(tally_), 1024U);
  for (std::size_t i = 0; i < crowd.size(); ++i)
    crowd[i] = cell(static_cast<float>(10 + i % 580), static_cast<float>(10 + i % 420));
  for (int i = 0; i < 3; ++i) show(crowd);
  EXPECT_LE(counted(tally_), 2048U);
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
  for (int i = 0; i < 3; ++i) look(9000, 8000);
  const std::uint64_t before = counted(tally_);
  for (int i = 0; i < 5; ++i) {
    camera_.look(9000, 8000, 2);
    std::vector<Cell> ghosts;
    for (int k = 0; k < 30; ++k) {
      const float x = 20.0F * static_cast<float>(k);
      ghosts.push_back({{x, 200, x + 35, 235}, 0.9, 1, "rbc", 0});
    }
    tally_.update(camera_.frame(), 0, ghosts);
  }
  EXPECT_EQ(counted(tally_), before);
  EXPECT_EQ(tally_.tally().out_of_focus, 5U);
  look(9000, 8000);
  EXPECT_EQ(counted(tally_), before);
  EXPECT_EQ(tally_.tally().parts, 1U);
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
