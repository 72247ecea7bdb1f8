// The PBC reader on painted pictures, and its boxes on the real set against boxes drawn by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "corpus/csv.h"
#include "corpus_files.h"
#include "readers/reader.h"
#include "temporary_folder.h"

namespace smearscope::corpus {
namespace {

using ::testing::HasSubstr;

class Pbc : public ::testing::Test {
 protected:
  // Red cells around, and in the middle a white cell of that radius (0: none); BGR on disk.
  void paint(const std::string& name, int radius, bool second = false) {
    cv::Mat picture(363, 360, CV_8UC3, cv::Scalar(203, 230, 255));
    for (const int y : {45, 320}) {
      for (const int x : {50, 140, 230, 320}) cv::circle(picture, {x, y}, 36, {170, 168, 208}, cv::FILLED);
    }
    if (second) cv::circle(picture, {40, 180}, 25, {120, 35, 70}, cv::FILLED);
    if (radius > 0) {
      cv::circle(picture, {180, 181}, radius, {190, 175, 190}, cv::FILLED);
      cv::circle(picture, {180, 181}, radius / 2, {120, 35, 70}, cv::FILLED);
    }
    const std::filesystem::path file = folder_.file(name);
    std::filesystem::create_directories(file.parent_path());
    cv::imwrite(file.string(), picture);
  }
  Corpus read() { return read_all(find_reader("pbc").open(folder_.path())); }
  testing::TemporaryFolder folder_;
};

TEST_F(Pbc, TheLabelIsThePrefixAndTheBoxHoldsTheCell) {
  paint("PBC_dataset_normal_DIB/ig/MMY_1.jpg", 60);
  paint("PBC_dataset_normal_DIB/platelet/PLATELET_2.jpg", 20);
  const Corpus corpus = read();
  ASSERT_EQ(corpus.images.size(), 2U);
  const Image& image = corpus.images[0];
  EXPECT_EQ(image.source_file, "PBC_dataset_normal_DIB/ig/MMY_1.jpg");
  ASSERT_EQ(image.annotations.size(), 1U);
  EXPECT_EQ(image.annotations[0].label, "MMY");
  EXPECT_EQ(image.annotations[0].origin, BoxOrigin::segmented);
  EXPECT_NEAR(image.annotations[0].box.x_min, 120, 4);
  EXPECT_NEAR(image.annotations[0].box.y_max, 241, 4);
  EXPECT_EQ(corpus.images[1].annotations.at(0).label, "PLATELET");
  EXPECT_NEAR(corpus.images[1].annotations[0].box.width(), 40, 6);
}

TEST_F(Pbc, WhereThereIsNoCellToBeFoundABoxOfUsualSizeStandsIn) {
  paint("lymphocyte/LY_1.jpg", 0);
  const Corpus corpus = read();
  const Image& image = corpus.images.at(0);
  ASSERT_EQ(image.annotations.size(), 1U);
  EXPECT_EQ(image.annotations[0].origin, BoxOrigin::fallback);
  EXPECT_NEAR(image.annotations[0].box.width(), 0.29 * 360, 0.1);
  ASSERT_EQ(image.changes.size(), 1U);
  EXPECT_EQ(image.changes[0].rule, rules::box_fallback);
}

TEST_F(Pbc, OtherWhiteCellsAreRegionsThatNobodyLabelled) {
  paint("lymphocyte/LY_1.jpg", 50, true);
  const Corpus corpus = read();
  const Image& image = corpus.images.at(0);
  EXPECT_EQ(image.annotations.size(), 1U);
  ASSERT_EQ(image.ignore_regions.size(), 1U);
  EXPECT_NEAR(image.ignore_regions[0].x_max, 65, 4);
}

TEST_F(Pbc, ANameThatDoesNotFitItsFolderIsNotALabel) {
  paint("lymphocyte/MO_1.jpg", 50);
  const Corpus corpus = read();
  const Image& image = corpus.images.at(0);
  EXPECT_TRUE(image.annotations.empty());
  ASSERT_EQ(image.changes.size(), 1U);
  EXPECT_EQ(image.changes[0].rule, rules::label_unreadable);
  EXPECT_THAT(image.changes[0].detail, HasSubstr("lymphocyte/: LY"));
}

TEST_F(Pbc, AFolderOfAnotherLayoutIsAnErrorThatSaysWhatWasExpected) {
  std::filesystem::create_directories(folder_.file("cats"));
  try {
    read();
    FAIL() << "no error";
  } catch (const Error& problem) {
    EXPECT_THAT(problem.what(), HasSubstr("expected folders basophil, eosinophil"));
  }
}

// pbc_boxes.csv: file,x_min,y_min,x_max,y_max in pixels, drawn by hand without looking at what the program
// makes of them; at least 15 a folder, chosen at random.
TEST_F(Pbc, BoxesAreThoseThatPeopleDraw) {
  const char *shared = std::getenv("SMEARSCOPE_SHARED_DATA"), *source = std::getenv("SMEARSCOPE_SOURCE_ROOT");
  const std::filesystem::path root =
      std::filesystem::path(shared ? shared : "") / "pbc/PBC_dataset_normal_DIB";
  if (!source || !std::filesystem::is_directory(root)) GTEST_SKIP() << "needs PBC in $SMEARSCOPE_SHARED_DATA";
  const std::string table = std::string(source) + "/tests/dataset-tools/pbc_boxes.csv";
  std::ifstream in(table);
  CsvReader csv(in, table, {"file", "x_min", "y_min", "x_max", "y_max"});
  const DataSet set = find_reader("pbc").open(root);
  std::map<std::string, std::size_t> index_of;
  for (std::size_t i = 0; i < set.images.size(); ++i) {
    const std::filesystem::path& path = set.images[i].path;
    index_of[path.parent_path().filename().string() + "/" + path.filename().string()] = i;
  }
  std::map<std::string, std::pair<double, int>> sums;  // of folders
  for (std::vector<std::string> row; csv.next(row);) {
    const auto found = index_of.find(row[0]);
    if (found == index_of.end()) continue;
    ImageFile file(set.images[found->second].path);
    const Image image = read_labelled(set, found->second, file);
    const Box drawn{std::stod(row[1]), std::stod(row[2]), std::stod(row[3]), std::stod(row[4])};
    auto& [sum, count] = sums[row[0].substr(0, row[0].find('/'))];
    sum += intersection_over_union(drawn, image.annotations.at(0).box);
    ++count;
  }
  EXPECT_EQ(sums.size(), 8U);
  for (const auto& [folder, of] : sums) {
    const double mean = of.first / of.second;
    std::printf("%-14s %d boxes, mean IoU %.3f\n", folder.c_str(), of.second, mean);
    EXPECT_GE(of.second, 15) << folder;
    EXPECT_GT(mean, 0.90) << folder;
  }
}

}  // namespace
}  // namespace smearscope::corpus
