// The Chula RBC-12 reader on painted pictures, and its boxes on the real set against boxes drawn by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <opencv2/imgcodecs.hpp>

#include "corpus/csv.h"
#include "corpus_files.h"
#include "painted_smear.h"
#include "readers/reader.h"
#include "temporary_folder.h"

namespace smearscope::corpus {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::write_text;

class Chula : public ::testing::Test {
 protected:
  // Dataset/NAME.jpg with six cells, 40 pixels wide, in two rows, and Label/NAME.txt.
  void make(const std::string& name, const std::string& labels, const std::string& folder = "") {
    cv::Mat1b cells = cv::Mat1b::zeros(200, 320);
    for (const int x : {60, 160, 260}) {
      for (const int y : {50, 150}) cv::circle(cells, {x, y}, 20, 255, cv::FILLED);
    }
    cv::Mat bgr;
    cv::cvtColor(testing::paint_smear(cells), bgr, cv::COLOR_RGB2BGR);
    const std::filesystem::path image = folder_.file(folder + "Dataset/" + name + ".jpg");
    std::filesystem::create_directories(image.parent_path());
    cv::imwrite(image.string(), bgr);
    write_text(folder_.file(folder + "Label/" + name + ".txt"), labels);
  }
  Corpus read(unsigned threads = 0) { return read_all(find_reader("chula").open(folder_.path()), threads); }
  Image image_of(const std::string& labels) {
    make("1", labels);
    return read().images.at(0);
  }
  // "rule: detail" of the only change that these labels lead to.
  std::string change_of(const std::string& labels) {
    const Image image = image_of(labels);
    if (image.changes.size() != 1) return std::to_string(image.changes.size()) + " changes";
    return image.changes[0].rule + ": " + image.changes[0].detail;
  }
  std::string left_out() {
    const Corpus corpus = read();
    if (corpus.left_out.size() != 1) return std::to_string(corpus.left_out.size()) + " left out";
    const LeftOut& file = corpus.left_out[0];
    return file.source_file + ": " + file.change.rule + ": " + file.change.detail;
  }
  testing::TemporaryFolder folder_;
};

TEST_F(Chula, APointBecomesTheBoxOfItsCell) {
  const Image image = image_of("55 45 0\n165 150 12\r\n\n");
  EXPECT_EQ(image.source, "chula");
  EXPECT_EQ(image.source_file, "Dataset/1.jpg");
  EXPECT_EQ(image.file, "1.jpg");
  EXPECT_TRUE(image.changes.empty());
  ASSERT_EQ(image.annotations.size(), 2U);
  EXPECT_EQ(image.annotations[0].label, "0");
  EXPECT_EQ(image.annotations[1].label, "12");
  EXPECT_EQ(image.annotations[1].origin, BoxOrigin::segmented);
  EXPECT_GT(intersection_over_union(image.annotations[1].box, {140, 130, 181, 171}), 0.9);
}

TEST_F(Chula, TheScaleComesFromAllRedCellsOfThePicture) {
  EXPECT_NEAR(image_of("60 50 0\n").pixel_size_um, 7.5 / 41, 0.01);
}

TEST_F(Chula, CellsWithoutAPointAreIgnoreRegions) {
  EXPECT_EQ(image_of("60 50 0\n160 50 0\n").ignore_regions.size(), 4U);
  const Image nothing = image_of("");
  EXPECT_TRUE(nothing.annotations.empty());
  EXPECT_EQ(nothing.ignore_regions.size(), 6U) << "an image with an empty label file is no negative";
}

TEST_F(Chula, WhereThereIsNoCellABoxOfUsualSizeStandsInAndIsNoted) {
  const Image image = image_of("60 50 0\n110 100 3\n");
  ASSERT_EQ(image.annotations.size(), 2U);
  EXPECT_EQ(image.annotations[1].origin, BoxOrigin::fallback);
  EXPECT_NEAR(image.annotations[1].box.width(), 40, 2);
  ASSERT_EQ(image.changes.size(), 1U);
  EXPECT_EQ(image.changes[0].rule, rules::box_fallback);
  EXPECT_THAT(image.changes[0].detail, HasSubstr("1.txt: line 2"));
}

TEST_F(Chula, TheFolderOrItsParentMayBeGiven) {
  make("1", "60 50 0\n", "Chula-RBC-12-Dataset-main/");
  const Corpus corpus = read();
  ASSERT_EQ(corpus.images.size(), 1U);
  EXPECT_EQ(corpus.images[0].source_file, "Dataset/1.jpg");
}

TEST_F(Chula, AnImageWithoutLabelsIsLeftOut) {
  make("1", "60 50 0\n");
  make("2", "");
  std::filesystem::remove(folder_.file("Label/2.txt"));
  write_text(folder_.file("Label/.DS_Store"), "Bud1");
  write_text(folder_.file("Label/._1.txt"), "Mac OS X");
  EXPECT_EQ(read().images.size(), 1U);
  EXPECT_THAT(left_out(), AllOf(HasSubstr("Dataset/2.jpg: file unpaired"), HasSubstr("Label/2.txt")));
}

TEST_F(Chula, LabelsWithoutAnImageAreReported) {
  make("1", "60 50 0\n");
  write_text(folder_.file("Label/7.txt"), "60 50 0\n");
  EXPECT_THAT(left_out(), HasSubstr("Label/7.txt: file unpaired"));
}

TEST_F(Chula, BadLinesAreNotedWithFileAndLine) {
  for (const char* line :
       {"60 50", "60 50 0 1", "sixty 50 0", "60 nan 0", "60 50 1.5", "60 50 x", "60,50,0"}) {
    EXPECT_THAT(change_of("160 50 0\n" + std::string(line) + "\n"),
                AllOf(HasSubstr("label unreadable: "), HasSubstr("1.txt: line 2: not 'x y class'")))
        << line;
  }
  EXPECT_EQ(image_of("160 50 0\n60 50\n").annotations.size(), 1U) << "the others are read";
}

TEST_F(Chula, UnknownClassesAreNoted) {
  for (const char* number : {"13", "-1", "99999"}) {
    EXPECT_THAT(change_of("60 50 " + std::string(number) + "\n"),
                HasSubstr("line 1: unknown class " + std::string(number)));
  }
  EXPECT_THAT(change_of("60 50 99999999999\n"), HasSubstr("line 1: "));
}

TEST_F(Chula, PointsOutsideTheImageAreNoted) {
  for (const char* point : {"320 50", "60 200", "-1 50", "60 -0.5", "1e9 50"}) {
    EXPECT_THAT(change_of(std::string(point) + " 0\n"), HasSubstr("outside the image")) << point;
  }
  EXPECT_EQ(image_of("0 0 0\n319 199 0\n").annotations.size(), 2U);
}

TEST_F(Chula, ALabelThatIsThereTwiceIsDropped) {
  EXPECT_THAT(change_of("60 50 0\n160 50 0\n60 50 0\n"), HasSubstr("label doubled: "));
  EXPECT_EQ(image_of("60 50 0\n60 50 0\n").annotations.size(), 1U);
}

TEST_F(Chula, OnePointWithTwoClassesIsOfTheFirst) {
  EXPECT_THAT(change_of("60 50 0\n60 50 3\n"), HasSubstr("line 2: the same point has class 0 already"));
  EXPECT_EQ(image_of("60 50 0\n60 50 3\n").annotations.at(0).label, "0");
}

TEST_F(Chula, WhatIsNoTextIsOneClearLine) {
  make("1", std::string("60 50 0\n\0\1\2", 11));
  EXPECT_THAT(left_out(), AllOf(HasSubstr("Dataset/1.jpg: file unreadable"), HasSubstr("not a text")));
  std::string many;
  while (many.size() < 3000000) many += "60 50 0\n";
  make("1", many);
  EXPECT_THAT(left_out(), AllOf(HasSubstr("file unreadable"), HasSubstr("larger than 64 KiB")));
  make("1", std::string(60000, 'x'));
  EXPECT_LT(read().images.at(0).changes.at(0).detail.size(), 300U) << "long lines are cut short";
  std::filesystem::remove(folder_.file("Label/1.txt"));
  std::filesystem::create_directories(folder_.file("Label/1.txt"));
  EXPECT_THAT(left_out(), HasSubstr("1.txt: no such label file"));
}

TEST_F(Chula, AFolderOfAnotherLayoutIsAnErrorThatSaysWhatWasExpected) {
  for (const char* there : {"Dataset", "Label/inside"}) {
    std::filesystem::remove_all(folder_.file("Dataset"));
    std::filesystem::create_directories(folder_.file(there));
    try {
      read();
      ADD_FAILURE() << "no error";
    } catch (const Error& problem) {
      EXPECT_THAT(problem.what(), HasSubstr("expected folders Dataset"));
    }
  }
}

TEST_F(Chula, ThreadsMakeNoDifference) {
  for (const char* name : {"1", "2", "3", "4", "5", "6"})
    make(name, "60 50 0\n62 80 3\n160 50 0\n255 155 1\n");
  const Corpus one = read(1), four = read(4);
  ASSERT_EQ(one.images.size(), 6U);
  for (std::size_t i = 0; i < 6; ++i) {
    for (std::size_t k = 0; k < one.images[i].annotations.size(); ++k) {
      const Box &a = one.images[i].annotations[k].box, &b = four.images[i].annotations[k].box;
      EXPECT_EQ(intersection_over_union(a, b), 1);
    }
  }
}

// chula_boxes.csv: file, the point as labelled, and the box, in pixels, drawn by hand without looking at what
// the program makes of it: in 50 images of all kinds, some at random, some where cells are crowded, cut or
// pale.
class RealChula : public ::testing::Test {
 protected:
  void SetUp() override {
    const char *shared = std::getenv("SMEARSCOPE_SHARED_DATA"),
               *source = std::getenv("SMEARSCOPE_SOURCE_ROOT");
    const std::filesystem::path root = std::filesystem::path(shared ? shared : "") / "chula-rbc-12";
    if (!source || !std::filesystem::is_directory(root / "Label"))
      GTEST_SKIP() << "needs Chula RBC-12 in $SMEARSCOPE_SHARED_DATA";
    table_ = std::string(source) + "/tests/dataset-tools/chula_boxes.csv";
    if (corpus().images.empty()) corpus() = read_all(find_reader("chula").open(root));
  }
  static Corpus& corpus() {
    static Corpus read;
    return read;
  }
  // In the order of the lines, which is that of the annotations.
  static std::vector<cv::Point2d> points_of(const Image& image) {
    std::ifstream in(image.path.parent_path().parent_path() / "Label" / image.path.stem().concat(".txt"));
    std::vector<cv::Point2d> points;
    for (double x = 0, y = 0, label = 0; in >> x >> y >> label;) points.push_back({x, y});
    return points;
  }
  std::string table_;
};

TEST_F(RealChula, EachPointHasItsBox) {
  std::size_t points = 0, segmented = 0, inside = 0;
  for (const Image& image : corpus().images) {
    const std::vector<cv::Point2d> labelled = points_of(image);
    ASSERT_EQ(labelled.size(), image.annotations.size()) << image.file;
    for (std::size_t i = 0; i < labelled.size(); ++i) {
      const Annotation& a = image.annotations[i];
      const cv::Point2d& p = labelled[i];
      segmented += a.origin == BoxOrigin::segmented;
      inside += a.box.x_min <= p.x && p.x <= a.box.x_max && a.box.y_min <= p.y && p.y <= a.box.y_max;
    }
    points += labelled.size();
  }
  std::printf("%zu points, %.2f%% in their box, %.2f%% of the boxes segmented\n", points,
              100.0 * double(inside) / double(points), 100.0 * double(segmented) / double(points));
  EXPECT_EQ(corpus().images.size(), 558U);
  EXPECT_EQ(points, 19697U) << "as wc -l counts";
  EXPECT_GT(double(inside), 0.995 * double(points));
  EXPECT_GT(double(segmented), 0.995 * double(points));
  EXPECT_TRUE(corpus().left_out.empty());
}

TEST_F(RealChula, BoxesAreThoseThatPeopleDraw) {
  std::map<std::string, const Image*> images;
  for (const Image& image : corpus().images) images[image.file] = &image;
  std::ifstream in(table_);
  CsvReader csv(in, table_, {"file", "x", "y", "x_min", "y_min", "x_max", "y_max"});
  double sum = 0;
  int count = 0, good = 0;
  for (std::vector<std::string> row; csv.next(row);) {
    const auto found = images.find(row[0]);
    if (found == images.end()) continue;
    const std::vector<cv::Point2d> points = points_of(*found->second);
    const auto point =
        std::find(points.begin(), points.end(), cv::Point2d(std::stod(row[1]), std::stod(row[2])));
    ASSERT_NE(point, points.end()) << row[0] << " has no point at " << row[1] << ", " << row[2];
    const Annotation& annotation = found->second->annotations.at(std::size_t(point - points.begin()));
    const Box drawn{std::stod(row[3]), std::stod(row[4]), std::stod(row[5]), std::stod(row[6])};
    const double overlap = intersection_over_union(annotation.box, drawn);
    sum += overlap;
    good += overlap >= 0.7;
    ++count;
  }
  std::printf("%d boxes, mean IoU %.3f, %.1f%% at least 0.7\n", count, sum / count, 100.0 * good / count);
  EXPECT_GE(count, 200);
  EXPECT_GT(sum / count, 0.92);
  EXPECT_GT(good, 0.97 * count);
}

}  // namespace
}  // namespace smearscope::corpus
