#include "corpus/merge.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "corpus/image_io.h"
#include "corpus/similarity.h"
#include "corpus_files.h"
#include "temporary_folder.h"

namespace smearscope::corpus {
namespace {

using testing::smear_record;
using testing::TemporaryFolder;

Image of_val(Image image) {
  image.part = "val";
  return image;
}

class Merge : public ::testing::Test {
 protected:
  Merge() {
    for (Corpus* corpus : {&a_, &b_}) corpus->classes = testing::cell_classes();
  }
  // `record`'s picture, changed, as a file of its own.
  Image changed(const Image& record, const std::string& name, const std::function<void(cv::Mat&)>& change) {
    cv::Mat pixels = cv::imread(record.path.string());
    change(pixels);
    Image image = record;
    image.file = name;
    image.path = folder_.file(name);
    cv::imwrite(image.path.string(), pixels);
    return image;
  }
  TemporaryFolder folder_;
  Corpus a_, b_;
};

TEST_F(Merge, UnrelatedImagesAllStay) {
  for (unsigned i = 0; i < 20; ++i) {
    (i % 2 ? a_ : b_).images.push_back(smear_record(folder_.path(), "t" + std::to_string(i) + ".png", i));
    a_.images.push_back(of_val(smear_record(folder_.path(), "v" + std::to_string(i) + ".png", 100 + i)));
  }
  const MergeResult merged = merge({a_, b_});
  EXPECT_TRUE(merged.removals.empty());
  EXPECT_EQ(count_of_part(merged.corpus, "train"), 20U);
}

TEST_F(Merge, ATrainImageWithTheBytesOfAnyValImageIsLeftOut) {
  const Image image = smear_record(folder_.path(), "a.png", 1);
  a_.images = {image, smear_record(folder_.path(), "b.png", 2)};
  b_.images = {of_val(image)};
  const MergeResult merged = merge({a_, b_});
  ASSERT_EQ(merged.removals.size(), 1U);
  EXPECT_EQ(merged.removals[0].kind, Removal::Kind::train_repeats_val);
  EXPECT_EQ(count_of_part(merged.corpus, "train"), 1U);
  EXPECT_EQ(count_of_part(merged.corpus, "val"), 1U);
}

TEST_F(Merge, ATurnedResizedRecolouredCopyOfAValImageIsLeftOut) {
  const Image image = smear_record(folder_.path(), "a.png", 1);
  a_.images = {
      of_val(image),
      of_val(smear_record(folder_.path(), "b.png", 2)),
      changed(image, "turned.png", [](cv::Mat& m) { cv::rotate(m, m, cv::ROTATE_90_CLOCKWISE); }),
      changed(image, "mirrored.png", [](cv::Mat& m) { cv::flip(m, m, 1); }),
      changed(image, "square.png",
              [](cv::Mat& m) {
                cv::resize(m, m, {80, 80});
              }),
      changed(image, "dark.jpg", [](cv::Mat& m) { m = m * 0.6; }),
  };
  const MergeResult merged = merge({a_});
  EXPECT_EQ(merged.removals.size(), 4U);
  for (const Removal& removal : merged.removals) {
    EXPECT_EQ(removal.kind, Removal::Kind::train_resembles_val) << removal.file;
    EXPECT_EQ(removal.kept_file, "a.png");
  }
  EXPECT_EQ(count_of_part(merged.corpus, "train"), 0U);
}

TEST_F(Merge, RepeatedTrainAndValImagesStayOnce) {
  const Image train = smear_record(folder_.path(), "a.png", 1),
              val = smear_record(folder_.path(), "b.png", 2);
  a_.images = b_.images = {train, of_val(val)};
  const MergeResult merged = merge({a_, b_});
  EXPECT_EQ(count_of_part(merged.corpus, "train"), 1U);
  EXPECT_EQ(count_of_part(merged.corpus, "val"), 1U);
  EXPECT_EQ(merged.removals.size(), 2U);
}

TEST_F(Merge, TwoImagesOfOneNameBothStay) {
  std::filesystem::create_directories(folder_.file("x"));
  a_.images = {smear_record(folder_.path(), "a.png", 1, "one")};
  b_.images = {smear_record(folder_.file("x"), "a.png", 2, "two")};
  const MergeResult merged = merge({a_, b_});
  ASSERT_EQ(merged.corpus.images.size(), 2U);
  EXPECT_EQ(merged.corpus.images[1].file, "two-a.png");
}

TEST_F(Merge, DifferentClassesAreAnError) {
  b_.classes = {{"cell"}};
  EXPECT_THROW(merge({a_, b_}), Error);
  EXPECT_THROW(merge({}), Error);
}

TEST_F(Merge, ABlankImageResemblesNothing) {
  cv::Mat blank(64, 96, CV_8UC3, cv::Scalar(200, 200, 200));
  const Fingerprint one{"1", pattern_of(blank)}, other{"2", pattern_of(blank)};
  EXPECT_LT(SimilarityIndex({one}).best_match(other)->correlation, near_duplicate);
}

// 00037 and 00038 are two photographs of one field, 00036 is of another.
TEST_F(Merge, TwoPhotographsOfOneFieldAreNearDuplicates) {
  const char* shared = std::getenv("SMEARSCOPE_SHARED_DATA");
  const std::filesystem::path images = std::filesystem::path(shared ? shared : "") / "bccd/BCCD/JPEGImages";
  if (!std::filesystem::is_directory(images)) GTEST_SKIP() << "needs BCCD in $SMEARSCOPE_SHARED_DATA";
  const SimilarityIndex index({fingerprint_of(images / "BloodImage_00037.jpg")});
  EXPECT_GT(index.best_match(fingerprint_of(images / "BloodImage_00038.jpg"))->correlation, 0.9);
  for (const auto& entry : std::filesystem::directory_iterator(images)) {
    const std::string name = entry.path().filename().string();
    if (name > "BloodImage_00050.jpg" || name.find("0037") != std::string::npos ||
        name.find("0038") != std::string::npos) {
      continue;
    }
    EXPECT_LT(index.best_match(fingerprint_of(entry.path()))->correlation, near_duplicate) << name;
  }
}

}  // namespace
}  // namespace smearscope::corpus
