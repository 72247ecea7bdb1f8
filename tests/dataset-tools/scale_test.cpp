#include "corpus/scale.h"

#include <gtest/gtest.h>

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "corpus/folder.h"
#include "corpus/standardise.h"
#include "corpus_files.h"
#include "painted_smear.h"
#include "temporary_folder.h"

namespace smearscope::corpus {
namespace {

using testing::TemporaryFolder;

class Scale : public ::testing::Test {
 protected:
  // A data set of `diameters.size()` images, 400x300, with red cells of that many pixels (0: no cells).
  DataSet set_of(const std::vector<int>& diameters, const std::string& extension = ".jpg") {
    DataSet set;
    for (const int diameter : diameters) {
      Image image;
      image.file = std::to_string(set.images.size()) + extension;
      image.source = "painted";
      image.source_file = image.file;
      image.path = folder_.file(image.file);
      cv::Mat1b mask(300, 400, uchar(0));
      for (int y = 60; diameter > 0 && y < 300; y += 90) {
        for (int x = 60; x < 380; x += 90) cv::circle(mask, {x, y}, diameter / 2, 255, cv::FILLED);
      }
      cv::Mat bgr;
      cv::cvtColor(testing::paint_smear(mask), bgr, cv::COLOR_RGB2BGR);
      cv::imwrite(image.path.string(), bgr);
      set.images.push_back(std::move(image));
    }
    set.classes = testing::cell_classes();
    set.label = [](Image& image, ImageFile&) {
      image.annotations.push_back({{40, 50, 200, 100}, 0, "wbc"});
      image.ignore_regions.push_back({0, 0, 400, 300});
    };
    return set;
  }
  Corpus standardised(const DataSet& set, const Scaling& scaling) {
    StandardiseOptions options;
    options.scaling = scaling;
    std::filesystem::remove_all(folder_.file("out"));
    standardise(set, "painted", load_taxonomy("cells"), folder_.file("out"), options);
    return read_corpus(folder_.file("out"));
  }
  TemporaryFolder folder_;
};

TEST_F(Scale, AnImageThatNeedsNoneIsCopiedByteForByte) {
  const DataSet set = set_of({40, 40});
  for (const Scaling& scaling : {Scaling{}, Scaling{400, {}}, Scaling{1000, {}}}) {
    const Corpus corpus = standardised(set, scaling);
    ASSERT_EQ(corpus.images.size(), 2U);
    EXPECT_EQ(sha256_of_file(corpus.images[0].path), sha256_of_file(set.images[0].path));
    EXPECT_TRUE(corpus.images[0].changes.empty());
  }
}

TEST_F(Scale, ALongestSideShrinksPixelsBoxesAndRegionsTogether) {
  const Corpus corpus = standardised(set_of({40}), {200, {}});
  const Image& image = corpus.images.at(0);
  EXPECT_EQ(image.width, 200);
  EXPECT_EQ(image.height, 150);
  EXPECT_EQ(cv::imread(image.path.string()).size(), cv::Size(200, 150));
  EXPECT_EQ(image.annotations[0].box.x_max, 100);
  EXPECT_EQ(image.annotations[0].box.y_min, 25);
  EXPECT_EQ(image.ignore_regions[0].x_max, 200);
  ASSERT_EQ(image.changes.size(), 1U);
  EXPECT_EQ(image.changes[0].rule, rules::image_scaled);
  EXPECT_NEAR(image.pixel_size_um, 7.5 / 20, 0.02);
}

TEST_F(Scale, WhatIsNoJpegBecomesPngWhichLosesNothing) {
  const Corpus corpus = standardised(set_of({40}, ".bmp"), {200, {}});
  EXPECT_EQ(corpus.images.at(0).file, "0.png");
}

TEST_F(Scale, TheScaleIsThatOfTheRedCells) {
  const Corpus corpus = standardised(set_of({40, 60, 0}), {});
  EXPECT_NEAR(corpus.images.at(0).pixel_size_um, 7.5 / 40, 0.01);
  EXPECT_NEAR(corpus.images.at(1).pixel_size_um, 7.5 / 60, 0.01);
  EXPECT_EQ(corpus.images.at(2).pixel_size_um, 0);
}

TEST_F(Scale, ACommonPixelSizeMakesCellsOfOneSize) {
  const Corpus corpus = standardised(set_of({30, 60, 40}), {{}, 7.5 / 40});
  EXPECT_NEAR(corpus.images.at(0).width, 400 * 40 / 30, 12);
  EXPECT_NEAR(corpus.images.at(1).width, 400 * 40 / 60, 8);
  EXPECT_EQ(corpus.images.at(2).width, 400) << "within the precision of the estimate";
  for (const Image& image : corpus.images) EXPECT_NEAR(image.pixel_size_um, 7.5 / 40, 0.01);
}

TEST_F(Scale, AnImageThatDoesNotTellItsScaleTakesTheUsualOne) {
  const Corpus corpus = standardised(set_of({60, 60, 0}), {{}, 7.5 / 30});
  EXPECT_NEAR(corpus.images.at(2).width, 200, 6);
  const Corpus none = standardised(set_of({0}), {{}, 7.5 / 30});
  EXPECT_EQ(none.images.at(0).width, 400) << "and none if no image tells";
}

TEST_F(Scale, AbsurdFactorsAreLeftAlone) {
  EXPECT_EQ(scale_factor({{}, 0.1}, 100, 100, 0.5), 1);
  EXPECT_EQ(scale_factor({{}, 1.0}, 100, 100, 0.05), 1);
  EXPECT_EQ(scale_factor({{}, 0.1}, 100, 100, 0.2), 2);
  EXPECT_EQ(scale_factor({{}, 0.1}, 9000, 9000, 0.2), 1) << "it would be too large an image to be read";
}

TEST_F(Scale, CellsThatASourceLeavesUnlabelledBecomeIgnoreRegions) {
  DataSet set = set_of({40});
  set.classes.clear();
  set.label = [](Image& image, ImageFile&) { image.annotations.push_back({{38, 38, 82, 82}, -1, "WBC"}); };
  StandardiseOptions options;
  standardise(set, "bccd", load_taxonomy("cells"), folder_.file("bccd"), options);
  const Corpus bccd = read_corpus(folder_.file("bccd"));
  EXPECT_EQ(bccd.images.at(0).ignore_regions.size(), 11U) << "of twelve cells one has a box";
  EXPECT_TRUE(bccd.images[0].regions_complete);
  standardise(set, "txl", load_taxonomy("cells"), folder_.file("txl"), options);
  const Corpus txl = read_corpus(folder_.file("txl"));
  EXPECT_TRUE(txl.images.at(0).ignore_regions.empty()) << "TXL-PBC labels all cells";
}

TEST_F(Scale, TheSameOnAnyNumberOfThreads) {
  const DataSet set = set_of({30, 60, 0, 44, 52, 38});
  std::vector<std::string> digests;
  for (const unsigned threads : {1U, 2U, 5U}) {
    StandardiseOptions options;
    options.scaling = {{}, 0.2};
    options.threads = threads;
    std::filesystem::remove_all(folder_.file("out"));
    standardise(set, "painted", load_taxonomy("cells"), folder_.file("out"), options);
    digests.push_back(digest_of(read_corpus(folder_.file("out"))) +
                      sha256_of_file(folder_.file("out/provenance.csv")) +
                      sha256_of_file(folder_.file("out/annotations/all.json")));
  }
  EXPECT_EQ(digests[0], digests[1]);
  EXPECT_EQ(digests[0], digests[2]);
}

}  // namespace
}  // namespace smearscope::corpus
