#include "gallery/gallery.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <memory>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <set>
#include <sstream>
#include <thread>

#include "smearscope/error.h"
#include "tally/cell_tally.h"
#include "temporary_folder.h"
#include "test_picture.h"

namespace smearscope {
namespace {

namespace fs = std::filesystem;
using testing::TemporaryFolder;

constexpr int width = 320, height = 240;

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

Cell cell(guint64 identity, float x, float y, const std::string& counted_as) {
  Cell cell{{x, y, x + 40, y + 30}, 0.9, 1, "found", 0};
  cell.identity = identity;
  cell.counted_as = counted_as;
  return cell;
}

class GalleryTest : public ::testing::Test {
 protected:
  // A frame whose pixels have this grey level; counts how often its picture was asked for.
  void show(Gallery& gallery, const std::vector<Cell>& cells, int level = 100) {
    gallery.add(cells, tally_, width, height, [&] {
      ++pictures_;
      cv::Mat picture(height, width, CV_8UC3, cv::Scalar(level, 2, 3));
      picture(cv::Rect(100, 100, 40, 30)).setTo(cv::Scalar(9, 8, 7));
      return picture;
    });
  }
  std::string file(const std::string& name) const { return folder_.file("gallery/" + name); }
  bool has(const std::string& name) const { return fs::exists(file(name)); }

  TemporaryFolder folder_;
  Tally tally_;
  int pictures_ = 0;
};

// One picture of each counted cell with half of its longer side around it, its frame, and a row in the table.
TEST_F(GalleryTest, EachCountedCellHasOnePicture) {
  tally_.pixel_size_um = 0.073;
  {
    Gallery gallery(file(""), 200);
    show(gallery, {cell(7, 100, 100, "wbc"), cell(1234567, 10, 5, "rbc")});
    show(gallery, {cell(7, 110, 100, "wbc")}, 50);
    show(gallery, {cell(7, 120, 100, "wbc"), cell(9, 100, 100, "a, b")}, 60);
    gallery.finish();
  }
  EXPECT_EQ(pictures_, 2) << "none is asked for in vain";
  const cv::Mat picture = cv::imread(file("found/wbc/000007.png"));
  ASSERT_EQ(picture.size(), cv::Size(80, 70));
  EXPECT_EQ(picture.at<cv::Vec3b>(20, 20), cv::Vec3b(9, 8, 7));
  EXPECT_EQ(picture.at<cv::Vec3b>(19, 19), cv::Vec3b(100, 2, 3));
  EXPECT_EQ(cv::imread(file("found/rbc/1234567.png")).size(), cv::Size(70, 55)) << "cut by the frame";
  EXPECT_EQ(cv::imread(file("frames/000002.png")).at<cv::Vec3b>(0, 0), cv::Vec3b(60, 2, 3));
  EXPECT_FALSE(has("frames/000003.png"));
  EXPECT_TRUE(fs::is_empty(file("confirmed/wbc")));
  EXPECT_EQ(text_of(file("cells.csv")),
            "cell,frame,class,confidence,x_min,y_min,x_max,y_max,pixel_size_um\n"
            "7,000001.png,wbc,0.900,100.0,100.0,140.0,130.0,0.0730\n"
            "9,000002.png,\"a, b\",0.900,100.0,100.0,140.0,130.0,0.0730\n"
            "1234567,000001.png,rbc,0.900,10.0,5.0,50.0,35.0,0.0730\n");
  for (const auto& entry : fs::recursive_directory_iterator(file("")))
    EXPECT_NE(entry.path().extension(), ".part") << entry.path();
}

// Of a view that stands still one frame is kept, however late some of its cells are found; boxes may tremble.
TEST_F(GalleryTest, AStillViewIsOneFrame) {
  Gallery gallery(file(""), 200);
  show(gallery, {cell(1, 50, 50, "rbc"), cell(2, 100, 50, "rbc")});
  show(gallery, {cell(1, 51, 50, "rbc"), cell(2, 99.5F, 50.5F, "rbc"), cell(3, 150, 50, "rbc")}, 60);
  show(gallery, {cell(1, 53, 50, "rbc"), cell(2, 103, 50, "rbc"), cell(4, 150, 90, "rbc")}, 70);  // has moved
  show(gallery, {cell(5, 200, 90, "rbc")}, 80);  // nothing in common
  gallery.add({cell(5, 200, 90, "rbc"), cell(6, 50, 90, "rbc")}, tally_, width + 1, height,
              [] { return cv::Mat(height, width + 1, CV_8UC3, cv::Scalar(90, 90, 90)); });  // another size
  gallery.finish();
  const std::string table = text_of(file("cells.csv"));
  const std::vector<std::pair<int, int>> frames{{1, 1}, {2, 1}, {3, 1}, {4, 2}, {5, 3}, {6, 4}};
  for (const auto& [number, frame] : frames)
    EXPECT_NE(table.find("\n" + std::to_string(number) + ",00000" + std::to_string(frame) + ".png,"),
              std::string::npos)
        << number;
  EXPECT_EQ(cv::imread(file("frames/000002.png")).at<cv::Vec3b>(0, 0)[0], 70);
  EXPECT_FALSE(has("frames/000005.png"));
}

// A cell that is cut, not counted, or not known, waits, and so does one on a frame out of focus or in the
// dark.
TEST_F(GalleryTest, ACellWaitsForAGoodLook) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  Gallery gallery(file(""), 200);
  show(gallery, {cell(1, 0.5F, 50, "rbc"), cell(2, 50, 50, ""), cell(0, 50, 50, "rbc"),
                 cell(3, 280.5F, 50, "rbc"), cell(4, 50, 0, "rbc"), cell(5, 50, 209.5F, "rbc"),
                 cell(6, nan, 50, "rbc"), cell(7, 50, nan, "rbc"), cell(8, -1e9F, 50, "rbc")});
  for (const View view : {View::out_of_focus, View::too_dark}) {
    tally_.frame_view = view;
    show(gallery, {cell(1, 50, 50, "rbc")});
  }
  EXPECT_EQ(pictures_, 0);
  tally_.frame_view = View::good;
  show(gallery, {cell(1, 50, 50, "rbc"), cell(3, 279, 50, "rbc")});
  gallery.finish();
  EXPECT_TRUE(has("found/rbc/000001.png"));
  EXPECT_TRUE(has("found/rbc/000003.png"));
}

// The name that a cell is counted under may change, in view or out of it; and it may turn out to be no cell.
TEST_F(GalleryTest, APictureMovesWithTheName) {
  Gallery gallery(file(""), 200);
  show(gallery, {cell(1, 50, 50, "wbc"), cell(2, 100, 50, "wbc"), cell(3, 150, 50, "wbc")});
  tally_.renames = {{1, "neutrophil"}, {2, ""}, {77, "rbc"}, {1, "lymphocyte"}};
  show(gallery, {});
  tally_.renames.clear();
  gallery.finish();
  EXPECT_FALSE(has("found/wbc/000001.png"));
  EXPECT_TRUE(has("found/lymphocyte/000001.png"));
  EXPECT_TRUE(has("confirmed/lymphocyte"));
  EXPECT_TRUE(has("found/not_counted/000002.png"));
  EXPECT_FALSE(has("confirmed/not_counted"));
  EXPECT_TRUE(has("found/wbc/000003.png"));
  EXPECT_NE(text_of(file("cells.csv")).find("1,000001.png,lymphocyte,"), std::string::npos);
  EXPECT_NE(text_of(file("cells.csv")).find("2,000001.png,,"), std::string::npos);
}

// From the count to the folder: what was found once and then never again is no cell, though no box says so.
TEST_F(GalleryTest, WhatIsNotFoundAgainIsNotCounted) {
  const cv::Mat picture = testing::textured_slide(width, height, 1, 3);
  Gallery gallery(file(""), 200);
  CellTally tally(0);
  for (int i = 0; i < 4; ++i) {
    std::vector<Cell> cells{cell(0, 50, 50, ""), cell(0, 100, 50, "")};
    if (i > 0) cells.pop_back();
    tally.update(testing::frame_of(picture), 0, cells);
    gallery.add(cells, tally.tally(), width, height, [&] {
      cv::Mat colour;
      cv::cvtColor(picture, colour, cv::COLOR_GRAY2BGR);
      return colour;
    });
  }
  gallery.finish();
  EXPECT_TRUE(has("found/found/000001.png"));
  EXPECT_FALSE(has("found/found/000002.png"));
  EXPECT_TRUE(has("found/not_counted/000002.png"));
}

// Who reviews while the stream runs is not disturbed.
TEST_F(GalleryTest, APictureThatWasTakenAwayStaysThere) {
  Gallery gallery(file(""), 200);
  show(gallery, {cell(1, 50, 50, "wbc")});
  gallery.finish();
  fs::rename(file("found/wbc/000001.png"), file("confirmed/wbc/000001.png"));
  tally_.renames = {{1, "lymphocyte"}};
  show(gallery, {});
  gallery.finish();
  EXPECT_TRUE(has("confirmed/wbc/000001.png"));
  EXPECT_FALSE(has("found/lymphocyte/000001.png"));
}

// Of each name so many are enough; a cell that goes by another name now leaves room for one.
TEST_F(GalleryTest, PicturesOfAClassAreBounded) {
  Gallery gallery(file(""), 2);
  for (guint64 i = 1; i < 10; ++i) show(gallery, {cell(i, 50, 50, "rbc"), cell(100 + i, 100, 50, "wbc")});
  EXPECT_EQ(pictures_, 2);
  tally_.renames = {{1, "macrocyte"}, {102, ""}};
  show(gallery, {cell(20, 50, 50, "rbc"), cell(120, 100, 50, "wbc")});
  tally_.renames.clear();
  show(gallery, {cell(21, 50, 50, "rbc"), cell(121, 100, 50, "wbc")});
  gallery.finish();
  EXPECT_EQ(pictures_, 3);
  EXPECT_TRUE(has("found/rbc/000002.png"));
  EXPECT_FALSE(has("found/rbc/000003.png"));
  EXPECT_TRUE(has("found/rbc/000020.png"));
  EXPECT_FALSE(has("found/rbc/000021.png"));
  EXPECT_TRUE(has("found/not_counted/000102.png"));
  EXPECT_FALSE(has("found/wbc/000120.png")) << "what turns out to be no cell must not make room without end";
}

// Two streams don't mix, one after the other or at the same time; one that found nothing leaves its place.
TEST_F(GalleryTest, EachGalleryHasAFolderOfItsOwn) {
  { Gallery(file(""), 200).finish(); }
  EXPECT_TRUE(fs::is_empty(file("")));
  {
    Gallery first(folder_.file("gallery"), 200), second(folder_.file("gallery"), 200);
    EXPECT_EQ(first.folder(), folder_.file("gallery"));
    EXPECT_EQ(second.folder(), folder_.file("gallery-2"));
    show(first, {cell(1, 50, 50, "wbc")});
    show(second, {cell(2, 50, 50, "rbc")});
    first.finish();
    second.finish();
  }
  Gallery third(folder_.file("gallery/"), 200);
  EXPECT_EQ(third.folder(), folder_.file("gallery-3"));
  EXPECT_FALSE(has("found/rbc"));
  EXPECT_TRUE(fs::exists(folder_.file("gallery-2/found/rbc/000002.png")));
  EXPECT_THROW(Gallery("/proc/no/such", 200), Error);
  EXPECT_THROW(Gallery(file("cells.csv"), 200), Error);
}

// Of streams that begin together each takes another folder.
TEST_F(GalleryTest, StreamsThatBeginTogetherDontMix) {
  for (int round = 0; round < 20; ++round) {
    const std::string name = folder_.file("round-" + std::to_string(round));
    std::vector<std::unique_ptr<Gallery>> galleries(8);
    std::vector<std::thread> starts;
    for (auto& gallery : galleries)
      starts.emplace_back([&] { gallery = std::make_unique<Gallery>(name, 200); });
    for (std::thread& start : starts) start.join();
    std::set<std::string> folders;
    for (const auto& gallery : galleries) folders.insert(gallery->folder());
    ASSERT_EQ(folders.size(), galleries.size());
  }
}

// Names come from models: nothing is written outside the gallery, and no two classes share a folder.
TEST_F(GalleryTest, AClassMayHaveAnyName) {
  EXPECT_EQ(class_folder("segmented_neutrophil"), "segmented_neutrophil");
  EXPECT_EQ(class_folder("Blutplättchen"), "Blutplättchen");
  EXPECT_EQ(class_folder("../a/b"), "%2E.%2Fa%2Fb");
  EXPECT_EQ(class_folder(std::string("a\0%", 3)), "a%00%25");
  EXPECT_EQ(class_folder("no_cell"), "%6Eo_cell");
  EXPECT_EQ(class_folder("not_counted"), "%6Eot_counted");
  EXPECT_LE(class_folder(std::string(300, '/')).size(), 240U);
  Gallery gallery(file(""), 200);
  show(gallery, {cell(1, 50, 50, "../../a"), cell(2, 100, 50, std::string(300, 'x'))});
  gallery.finish();
  EXPECT_TRUE(has("found/%2E.%2F..%2Fa/000001.png"));
  EXPECT_TRUE(has("found/" + std::string(240, 'x') + "/000002.png"));
}

// What can't be written is told, with the file's name, and nothing waits for it.
TEST_F(GalleryTest, AFailureIsTold) {
  Gallery gallery(file(""), 200);
  fs::remove(file("frames"));
  std::ofstream(file("frames")) << "no folder";
  show(gallery, {cell(1, 50, 50, "wbc")});
  try {
    gallery.finish();
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("frames"), std::string::npos) << error.what();
  }
  EXPECT_THROW(show(gallery, {cell(2, 50, 50, "wbc")}), Error);
  EXPECT_THROW(gallery.finish(), Error);
}

// A disk that stands still holds up no camera: cells wait for a later frame, and all is written in the end.
TEST_F(GalleryTest, ALiveStreamDoesNotWait) {
  Gallery gallery(file(""), 200);
  gallery.set_live(true);
  const std::string blocked = file("frames/000001.png.part");
  ASSERT_EQ(::mkfifo(blocked.c_str(), 0600), 0);  // opening it waits for a reader
  for (guint64 i = 1; i <= 20; ++i) show(gallery, {cell(i, 50, 50, "rbc")});
  EXPECT_LE(pictures_, 6);
  EXPECT_GE(pictures_, 4);
  tally_.renames = {{1, "wbc"}, {2, "wbc"}};
  show(gallery, {});
  tally_.renames.clear();
  std::thread reader([&] { text_of(blocked); });
  gallery.finish();
  reader.join();
  show(gallery, {cell(20, 50, 50, "rbc")});
  gallery.finish();
  EXPECT_TRUE(has("found/wbc/000001.png")) << "no new name is lost";
  EXPECT_TRUE(has("found/wbc/000002.png"));
  EXPECT_TRUE(has("found/rbc/000020.png"));
  EXPECT_FALSE(has("found/rbc/000010.png"));
}

// Any other stream waits, so that every cell is there.
TEST_F(GalleryTest, AnyOtherStreamWaits) {
  Gallery gallery(file(""), 200);
  for (guint64 i = 1; i <= 40; ++i) show(gallery, {cell(i, 50, 50, "rbc")});
  gallery.finish();
  EXPECT_EQ(pictures_, 40);
  for (guint64 i = 1; i <= 40; ++i) {
    char name[40];
    std::snprintf(name, sizeof name, "found/rbc/%06d.png", static_cast<int>(i));
    EXPECT_TRUE(has(name)) << name;
  }
}

}  // namespace
}  // namespace smearscope
