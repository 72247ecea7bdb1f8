// Galleries that are broken, or made to do harm. See also hostile_input_test.cpp.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "corpus/plain_text.h"
#include "gallery_files.h"
#include "tools/commands.h"

namespace smearscope::corpus {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
using testing::write_text;

class HostileGallery : public testing::GalleryFiles {
 protected:
  // Two cells, of which one is confirmed.
  void make(const std::string& more_rows = "") {
    fs::remove_all(root());
    table({row(1, "a.png", "rbc", 0), row(2, "a.png", "rbc", 1), more_rows});
    frame("a.png");
    confirm("rbc/000001.png");
  }
  static long lines(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }
};

TEST_F(HostileGallery, RowsThatMakeNoSenseAreReportedAndTheOthersRead) {
  const std::map<std::string, std::string> line_of{
      {"3", "has 1 columns instead of 9"},
      {"3,a.png,rbc,0,9,1,1,9,9,0,0", "has 11 columns instead of 9"},
      {"x,a.png,rbc,0.9,1,1,9,9,0", "'x' is no number of a cell"},
      {"-3,a.png,rbc,0.9,1,1,9,9,0", "'-3' is no number of a cell"},
      {"99999999999999999999,a.png,rbc,0.9,1,1,9,9,0", "is no number of a cell"},
      {",a.png,rbc,0.9,1,1,9,9,0", "'' is no number of a cell"},
      {"3,,rbc,0.9,1,1,9,9,0", "'' is no name of a frame"},
      {"3,../../a.png,rbc,0.9,1,1,9,9,0", "'../../a.png' is no name of a frame"},
      {"3,/etc/passwd,rbc,0.9,1,1,9,9,0", "'/etc/passwd' is no name of a frame"},
      {"3,a\x1B.png,rbc,0.9,1,1,9,9,0", "'a\\x1B.png' is no name of a frame"},
      {"3," + std::string(300, 'a') + ",rbc,0.9,1,1,9,9,0", "is no name of a frame"},
      {"3,a.png,\"r\nbc\",0.9,1,1,9,9,0", "'r\\x0Abc' is no name of a class"},
      {"3,a.png," + std::string(201, 'a') + ",0.9,1,1,9,9,0", "is no name of a class"},
      {"3,a.png,rbc,1.5,1,1,9,9,0", "a confidence is not '1.5'"},
      {"3,a.png,rbc,nan,1,1,9,9,0", "'nan' is not a number"},
      {"3,a.png,rbc,0.9,nan,1,9,9,0", "'nan' is not a number"},
      {"3,a.png,rbc,0.9,1,-inf,9,9,0", "'-inf' is not a number"},
      {"3,a.png,rbc,0.9,1,1,1e999,9,0", "'1e999' is not a number"},
      {"3,a.png,rbc,0.9,1,1,9,,0", "'' is not a number"},
      {"3,a.png,rbc,0.9,1,1,9,9,-0.07", "a pixel has no '-0.07' micrometres"},
      {"3,a.png,rbc,0.9,1,1,9,9,1e300", "a pixel has no '1e300' micrometres"},
      {"3,a.png,rbc,0.9,1,1,9,9,inf", "'inf' is not a number"},
      {"3,a.png,\"rbc,0.9,1,1,9,9,0", "ends within quotes"},
  };
  for (const auto& [broken, line] : line_of) {
    make(broken + "\n");
    EXPECT_THAT(told(), AllOf(StartsWith("smear 7/cells.csv: label unreadable: smear 7/cells.csv: line 4: "),
                              HasSubstr(line)));
    EXPECT_EQ(lines(told()), 1) << broken;
    EXPECT_LT(told().size(), 300U) << "long texts are cut short";
    EXPECT_EQ(labels().size(), 1U) << broken;
    EXPECT_TRUE(is_ignored(read().images.at(0), 1)) << broken;
  }
}

TEST_F(HostileGallery, ATableOfManyRowsThatMakeNoSenseIsRefused) {
  make(std::string(1000, '\n'));
  EXPECT_EQ(lines(told()), 1000);
  make(std::string(1001, '\n'));
  EXPECT_EQ(told(), "error: smear 7/cells.csv: more than 1,000 rows make no sense\n");
}

TEST_F(HostileGallery, ATableOfOtherColumnsIsRefused) {
  make();
  write_text(root() / "cells.csv", "cell;frame;class\n1;a.png;rbc\n");
  EXPECT_THAT(told(), StartsWith("error: smear 7/cells.csv: line 1: is not 'cell,frame,class,"));
}

TEST_F(HostileGallery, OfACellWithSeveralRowsNoneIsBelieved) {
  make(row(1, "a.png", "wbc", 2));
  EXPECT_EQ(told(), "smear 7/confirmed/rbc/000001.png: file unpaired: cells.csv has 2 rows of cell 1\n");
  confirm("rbc/2.png");
  EXPECT_EQ(labels().size(), 1U);
  const Corpus corpus = read();
  EXPECT_TRUE(is_ignored(corpus.images.at(0), 0));
  EXPECT_TRUE(is_ignored(corpus.images.at(0), 2));
}

TEST_F(HostileGallery, PicturesThatTellNothingAreReported) {
  const std::map<std::string, std::string> line_of{
      {"rbc/000003.png", "cells.csv has no row of cell 3"},
      {"rbc/000002 (2).png", "its name is no number of a cell"},
      {"rbc/cell.png", "its name is no number of a cell"},
      {"rbc/99999999999999999999.png", "its name is no number of a cell"},
      {"000002.png", "is in no class's folder: expected confirmed/CLASS/NUMBER.png"},
      {"wbc/atypical/000002.png", "is in no class's folder: expected confirmed/CLASS/NUMBER.png"},
      {"es\x1B[2Jcape/000002.png", "'es\\x1B[2Jcape' is no name of a class"},
      {"line\nbreak/000002.png", "'line\\x0Abreak' is no name of a class"},
      {"\xFF\xFE/000002.png", "'\\xFF\\xFE' is no name of a class"},
      {std::string(201, 'c') + "/000002.png", "is no name of a class"},
  };
  for (const auto& [picture, line] : line_of) {
    make();
    confirm(picture);
    EXPECT_THAT(told(), AllOf(StartsWith("smear 7/confirmed/" + in_one_line(picture) + ": file unpaired: "),
                              HasSubstr(line)));
    EXPECT_EQ(lines(told()), 1) << picture;
    EXPECT_EQ(labels().size(), 1U);
    EXPECT_TRUE(is_ignored(read().images.at(0), 1)) << "it is not confirmed";
  }
}

TEST_F(HostileGallery, WhatIsNoPictureIsNoMatter) {
  make();
  confirm("rbc/Thumbs.db"), confirm("rbc/.000002.png"), confirm("notes.txt");
  EXPECT_EQ(told(), "");
}

TEST_F(HostileGallery, ExtensionsMayBeOfAnyCase) {
  make(row(3, "B.PNG", "rbc", 0));
  frame("B.PNG");
  confirm("rbc/000003.PNG");
  EXPECT_EQ(read().images.size(), 2U) << told();
}

TEST_F(HostileGallery, LinksThatLeadOutsideAreRefused) {
  write_text(folder_.file("outside/000002.png"), "");
  make();
  fs::create_symlink(folder_.file("outside/000002.png"), root() / "confirmed/rbc/000002.png");
  EXPECT_EQ(
      told(),
      "smear 7/confirmed/rbc/000002.png: file unreadable: is a link that leads outside of the data set\n");
  make();
  fs::create_directory_symlink(folder_.file("outside"), root() / "confirmed/wbc");
  EXPECT_EQ(told(), "") << "links to folders are not followed";
  EXPECT_EQ(labels().size(), 1U);
  make();
  fs::rename(root() / "confirmed", folder_.file("elsewhere"));
  fs::create_directory_symlink(folder_.file("elsewhere"), root() / "confirmed");
  EXPECT_THAT(told(), AllOf(HasSubstr("is a link that leads outside"), Not(HasSubstr("error"))));
  EXPECT_THAT(read().images, IsEmpty());
}

TEST_F(HostileGallery, AMissingFrameIsReported) {
  make(row(3, "b.png", "rbc", 0) + row(4, "c.png", "rbc", 0));
  confirm("rbc/3.png");
  EXPECT_EQ(told(), "smear 7/frames/b.png: file unpaired: no such frame, though confirmed cells are in it\n");
  EXPECT_EQ(read().images.size(), 1U);
}

TEST_F(HostileGallery, BoxesOutsideOfTheFrameAreClippedOrDroppedAndThatIsSaid) {
  make(
      "3,a.png,rbc,0.9,-50,-1e308,50,50,0\n4,a.png,rbc,0.9,400,10,450,50,0\n5,a.png,rbc,0.9,9,9,1,1,0\n"
      "6,a.png,rbc,0.9,-9,100,20,1e308,0\n7,a.png,rbc,0.9,-1e308,-1e308,1e308,1e308,0\n");
  confirm("rbc/3.png"), confirm("rbc/4.png"), confirm("no_cell/7.png");
  EXPECT_EQ(told(),
            "box clipped: cell 3\nbox without area: cell 4: dropped\nbox without area: cell 5: dropped\n"
            "class corrected: cell 7: found as rbc, is no cell\n");
  const Corpus corpus = read();
  const Image& image = corpus.images.at(0);
  ASSERT_EQ(image.annotations.size(), 2U);
  EXPECT_EQ(image.annotations[1].box.x_min, 0);
  EXPECT_EQ(image.annotations[1].box.y_min, 0);
  for (const Box& region : image.ignore_regions)
    EXPECT_TRUE(region.x_min >= 0 && region.y_max <= image.height);
}

TEST_F(HostileGallery, AFrameOfMoreCellsThanThereCanBeIsLeftOut) {
  std::string rows;
  for (int i = 3; i <= 10'000; ++i) rows += std::to_string(i) + ",a.png,rbc,0.9,1,1,2,2,0\n";
  make(rows);
  EXPECT_EQ(told(), "");
  make(rows + "10001,a.png,rbc,0.9,1,1,2,2,0\n");
  EXPECT_THAT(told(),
              HasSubstr("file unreadable: smear 7/frames/a.png: cells.csv has more than 10,000 cells"));
}

TEST_F(HostileGallery, AGalleryThatNobodyHasReviewedIsAnErrorThatSaysWhatToDo) {
  make();
  fs::remove(root() / "confirmed/rbc/000001.png");
  EXPECT_THAT(told(), AllOf(StartsWith("error: " + root().string()),
                            HasSubstr("confirmed: no cell is confirmed; move pictures from found/CLASS/")));
}

TEST_F(HostileGallery, WhatIsNoGalleryIsAnErrorThatSaysWhatWasExpected) {
  for (const char* missing : {"frames", "confirmed", "cells.csv"}) {
    make();
    fs::remove_all(root() / missing);
    EXPECT_THAT(told(),
                AllOf(HasSubstr(": no gallery: expected cells.csv, frames/"), HasSubstr("confirmed/CLASS")))
        << missing;
    EXPECT_EQ(lines(told()), 1);
  }
}

TEST_F(HostileGallery, TheCommandsMakeACorpusThatHoldsWhatItSaysAndCountCorrections) {
  make(row(3, "b.png", "wbc", 0) + row(4, "b.png", "wbc", 1) + row(5, "b.png", "wbc", 2));
  frame("b.png");
  confirm("wbc/3.png"), confirm("rbc/4.png"), confirm("no_cell/5.png");
  const auto run = [&](int (*command)(const Arguments&), const std::vector<std::string>& words) {
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    const int status = command(Arguments(words, {"source", "input", "output", "threads"}, {}, {}));
    return std::to_string(status) + "\n" + ::testing::internal::GetCapturedStdout() +
           ::testing::internal::GetCapturedStderr();
  };
  const auto standardise_to = [&](const std::string& output) {
    return run(run_standardise,
               {"--source", "gallery", "--input", root().string(), "--output", folder_.file(output)});
  };
  EXPECT_THAT(standardise_to("out"), AllOf(StartsWith("0\n"), HasSubstr("all: 2 images, 1 wbc, 2 rbc\n"),
                                           HasSubstr("\nclass corrected: 2\n")));
  EXPECT_THAT(run(run_check, {folder_.file("out")}), AllOf(StartsWith("0\n"), HasSubstr("\n0 errors, ")));
  confirm("rbc/6.png");
  EXPECT_THAT(standardise_to("with-gaps"), AllOf(StartsWith("2\n"), HasSubstr("\nfile unpaired: 1\n")));
}

}  // namespace
}  // namespace smearscope::corpus
