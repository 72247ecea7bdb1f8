// CellTally under a still camera, over a picture with cells at will.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <optional>
#include <set>

#include "counted.h"
#include "tally/cell_tally.h"
#include "test_picture.h"

namespace smearscope {
namespace {

using testing::counted;

constexpr double least_sharpness = 0.15;

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
  EXPECT_EQ(shown_[0].counted_as, "");
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
  EXPECT_EQ(shown_[0].counted_as, "wbc");
  show({cell(100, 100, "lymphocyte", 2, 0.6)});
  EXPECT_EQ(shown_[0].counted_as, "lymphocyte");
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

// The lamp off and on again: the cell that is there is the one that was.
TEST_F(StillTally, DarknessForgetsNothing) {
  const cv::Mat picture = picture_.clone();
  for (int i = 0; i < 4; ++i) {
    picture_ = picture;
    for (int k = 0; k < 3; ++k) show({cell(100, 100, "wbc", 0)});
    picture_ = cv::Mat(picture.size(), picture.type(), cv::Scalar(i % 2 ? 250 : 3));
    show({});
  }
  EXPECT_EQ(counted(tally_), 1U);
  EXPECT_EQ(tally_.tally().parts, 1U);
}

// A lamp turned down is told, that nothing is seen with it on is not.
TEST_F(StillTally, DarknessIsTold) {
  const cv::Mat picture = picture_.clone();
  const auto view_at = [&](const cv::Mat& shown) {
    picture_ = shown;
    for (int i = 0; i < 5; ++i) show({});
    return tally_.tally().view;
  };
  EXPECT_EQ(view_at(picture), View::good);
  EXPECT_EQ(view_at(picture / 4), View::too_dark);
  EXPECT_EQ(view_at(cv::Mat(picture.size(), picture.type(), cv::Scalar(0))), View::too_dark);
  EXPECT_EQ(view_at(cv::Mat(picture.size(), picture.type(), cv::Scalar(220))), View::good);
  tally_.set_least_sharpness(0);
  EXPECT_EQ(view_at(picture / 4), View::too_dark) << "whatever is asked of the focus";
}

// Whole red cells, and their kinds, tell the pixel size, and no other cells do.
TEST_F(StillTally, RedCellsTellThePixelSize) {
  std::vector<Cell> cells{cell(1, 1)};  // cut
  for (int i = 0; i < 9; ++i) {
    cells.push_back(cell(50.0F * static_cast<float>(i) + 50, 100, i % 2 ? "rbc" : "macrocyte"));
    cells.back().family = "rbc";
  }
  cells.push_back({{100, 200, 400, 400}, 0.9, 0, "wbc", 0});
  show(cells);
  EXPECT_EQ(tally_.tally().pixel_size_um, 0) << "ten are needed";
  show(cells);
  EXPECT_DOUBLE_EQ(tally_.tally().pixel_size_um, 7.5 / 40);
  EXPECT_FALSE(tally_.tally().calibrated);
  tally_.new_view();
  EXPECT_EQ(tally_.tally().pixel_size_um, 0) << "it may be another objective's";
}

// A detection that finds few of the cells, and these where they are, or one that finds others, is no leap.
TEST_F(StillTally, APoorDetectionIsNoLeap) {
  std::vector<Cell> cells, poor{cell(1, 50), cell(1, 150), cell(70, 100), cell(140, 100)}, wild;
  for (int i = 0; i < 8; ++i) {
    cells.push_back(cell(70.0F * static_cast<float>(i) + 70, 100));
    wild.push_back(cell(70.0F * static_cast<float>(i) + 70, 300));
  }
  for (int i = 0; i < 3; ++i) {
    for (int k = 0; k < 5; ++k) show(cells);
    show(poor);
    for (int k = 0; k < 5; ++k) show(cells);
    show(wild);
  }
  show(cells);
  EXPECT_EQ(counted(tally_), 8U);
  EXPECT_EQ(tally_.tally().parts, 1U);
}

// A class is a class under whatever label: another model may have another order.
TEST_F(StillTally, AnotherModelsLabelsAreTheSameClasses) {
  for (int i = 0; i < 3; ++i) show({cell(100, 100, "lymphocyte", 2), cell(300, 100, "rbc", 1)});
  for (int i = 0; i < 3; ++i) show({cell(100, 100, "lymphocyte", 5), cell(500, 100, "lymphocyte", 5)});
  ASSERT_EQ(tally_.tally().rows.size(), 2U);
  EXPECT_EQ(tally_.tally().rows[1].class_name, "lymphocyte");
  EXPECT_EQ(tally_.tally().rows[1].label, 5);
  EXPECT_EQ(tally_.tally().rows[1].count, 2U);
}

// However many cells there are said to be, a frame takes a bounded time.
TEST_F(StillTally, ACrowdOfCellsIsBounded) {
  std::vector<Cell> crowd(20000, cell(100, 100));
  for (int i = 0; i < 3; ++i) show(crowd);
  EXPECT_LE(counted(tally_), 1024U);
  for (std::size_t i = 0; i < crowd.size(); ++i)
    crowd[i] = cell(static_cast<float>(10 + i % 580), static_cast<float>(10 + i % 420));
  for (int i = 0; i < 3; ++i) show(crowd);
  EXPECT_LE(counted(tally_), 4096U);
}

}  // namespace
}  // namespace smearscope
