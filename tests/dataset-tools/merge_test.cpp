#include "corpus/merge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "corpus_files.h"
#include "duplicates/compare_labels.h"
#include "temporary_folder.h"

namespace smearscope::corpus {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::smear_record;
using testing::TemporaryFolder;

Image of_val(Image image) {
  image.part = "val";
  return image;
}

class Merge : public ::testing::Test {
 protected:
  Merge() {
    for (Corpus* corpus : {&a_, &b_}) corpus->classes = {{"wbc"}, {"rbc"}, {"platelet"}, {"lymphocyte", 0}};
  }
  // `record`'s picture, changed, as a file of its own.
  Image changed(const Image& record, const std::string& name, const std::function<void(cv::Mat&)>& change) {
    cv::Mat pixels = cv::imread(record.path.string());
    change(pixels);
    Image image = record;
    image.file = image.source_file = name;
    image.path = folder_.file(name);
    image.width = pixels.cols;
    image.height = pixels.rows;
    cv::imwrite(image.path.string(), pixels);
    return image;
  }
  std::string why_left_out(const MergeResult& merged, std::size_t i = 0) {
    if (merged.corpus.left_out.size() <= i) return "nothing";
    return merged.corpus.left_out[i].change.rule + ": " + merged.corpus.left_out[i].change.detail;
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
  EXPECT_TRUE(merged.corpus.left_out.empty());
  EXPECT_EQ(count_of_part(merged.corpus, "train"), 20U);
}

TEST_F(Merge, ImagesAreRenamedToTheirIdsInTheOrderOfTheCorpora) {
  a_.images = {of_val(smear_record(folder_.path(), "z.png", 1)), smear_record(folder_.path(), "a.PNG", 2)};
  b_.images = {smear_record(folder_.path(), "m.png", 3)};
  const StoredCorpus merged = merge({a_, b_}).corpus;
  ASSERT_EQ(merged.images.size(), 3U);
  EXPECT_EQ(merged.images[0].file, "000001.png");
  EXPECT_EQ(merged.images[0].source_file, "z.png");
  EXPECT_EQ(merged.images[1].file, "000002.png");
  EXPECT_EQ(merged.images[2].source_file, "m.png");
}

TEST_F(Merge, ATrainImageWithTheBytesOfAnyValImageIsLeftOut) {
  const Image image = smear_record(folder_.path(), "a.png", 1, "one");
  a_.images = {image, smear_record(folder_.path(), "b.png", 2)};
  b_.images = {of_val(smear_record(folder_.path(), "c.png", 1, "two"))};
  const MergeResult merged = merge({a_, b_});
  EXPECT_EQ(merged.same_bytes, 1U);
  EXPECT_THAT(why_left_out(merged),
              AllOf(HasSubstr(rules::image_repeated), HasSubstr("as two c.png; 5 labels agree")));
  EXPECT_EQ(merged.corpus.left_out[0].source_file, "a.png");
  EXPECT_EQ(count_of_part(merged.corpus, "train"), 1U);
  EXPECT_EQ(count_of_part(merged.corpus, "val"), 1U);
}

TEST_F(Merge, OfTwoTrainImagesThatOfTheEarlierCorpusStays) {
  a_.images = {smear_record(folder_.path(), "a.png", 1, "one")};
  b_.images = {smear_record(folder_.path(), "b.png", 1, "two")};
  EXPECT_EQ(merge({a_, b_}).corpus.images[0].source, "one");
  EXPECT_EQ(merge({b_, a_}).corpus.images[0].source, "two");
}

TEST_F(Merge, FinerClassesOfACopyAreTakenOver) {
  a_.images = {smear_record(folder_.path(), "a.png", 1, "one")};
  b_.images = {smear_record(folder_.path(), "b.png", 1, "two")};
  a_.images[0].absent = {2, 3};
  a_.images[0].annotations[0].label = "WBC";  // discs are wbc and rbc in turn
  b_.images[0].annotations[0].category = 3;
  b_.images[0].annotations[0].label = "LY";
  b_.images[0].annotations[1].category = 2;
  b_.images[0].annotations.pop_back();
  const MergeResult merged = merge({a_, b_});
  EXPECT_THAT(why_left_out(merged), HasSubstr("3 labels agree, 1 differs, 1 only there"));
  const Image& kept = merged.corpus.images[0];
  EXPECT_EQ(kept.annotations[0].category, 3);
  EXPECT_EQ(kept.annotations[0].label, "LY");
  EXPECT_EQ(kept.annotations[1].category, 1) << "what contradicts is not taken over";
  EXPECT_EQ(kept.absent, std::vector<int>{2});
  ASSERT_EQ(kept.changes.size(), 1U);
  EXPECT_EQ(kept.changes[0].rule, rules::class_refined);
  EXPECT_EQ(merged.classes_refined, 1U);
  // And the other way round nothing is lost.
  EXPECT_EQ(merge({b_, a_}).corpus.images[0].annotations[0].category, 3);
}

TEST_F(Merge, OnlyImagesOfTheSourceAskedForAreTaken) {
  a_.images = {smear_record(folder_.path(), "a.png", 1, "one"),
               smear_record(folder_.path(), "c.png", 2, "one")};
  b_.images = {of_val(smear_record(folder_.path(), "b.png", 1, "two"))};
  MergeOptions options;
  options.only = "one";
  const MergeResult merged = merge({a_, b_}, options);
  ASSERT_EQ(merged.corpus.images.size(), 1U);
  EXPECT_EQ(merged.corpus.images[0].source_file, "c.png") << "a.png is a val image of the other";
  options.only = "three";
  EXPECT_THROW(merge({a_, b_}, options), Error);
}

TEST_F(Merge, DeclaredGroupsAreKept) {
  a_.images = {smear_record(folder_.path(), "a.png", 1), smear_record(folder_.path(), "b.png", 2)};
  a_.images[0].group = a_.images[1].group = "patient 7";
  const StoredCorpus merged = merge({a_}).corpus;
  EXPECT_EQ(merged.images[0].group, "patient 7");
  EXPECT_EQ(merged.images[1].group, "patient 7");
}

TEST_F(Merge, DifferentClassesAreAnError) {
  b_.classes = {{"cell"}};
  EXPECT_THROW(merge({a_, b_}), Error);
  EXPECT_THROW(merge({}), Error);
}

class CompareLabels : public ::testing::Test {
 protected:
  CompareLabels() {
    kept_.width = copy_.width = 100;
    kept_.height = copy_.height = 100;
  }
  const std::vector<Class> classes_{{"wbc"}, {"rbc"}, {"lymphocyte", 0}};
  Image kept_, copy_;
};

TEST_F(CompareLabels, BoxesAreComparedWhereTheTransformPutsThem) {
  kept_.annotations = {{{10, 20, 30, 40}, 0}};
  // Turned by a quarter and half as large: (x, y) of the copy is (100 - 2 y, 2 x) of the kept.
  copy_.annotations = {{{10, 35, 20, 45}, 0}};
  const cv::Matx23d to_kept(0, -2, 100, 2, 0, 0);
  EXPECT_EQ(compare_labels(kept_, copy_, to_kept, classes_).agree, 1U);
  const LabelComparison moved = compare_labels(kept_, copy_, {2, 0, 0, 0, 2, 0}, classes_);
  EXPECT_EQ(moved.agree, 0U);
  EXPECT_EQ(moved.only_kept, 1U);
  EXPECT_EQ(moved.only_copy, 1U);
}

TEST_F(CompareLabels, WhatTheOtherImageDoesNotShowIsNotMissingThere) {
  kept_.annotations = {{{10, 20, 30, 40}, 0}, {{80, 80, 100, 100}, 1}};
  const LabelComparison cropped = compare_labels(kept_, copy_, {0.5, 0, 0, 0, 0.5, 0}, classes_);
  EXPECT_EQ(cropped.only_kept, 1U) << "the copy shows the kept image's first quarter";
}

TEST_F(CompareLabels, EachBoxMatchesOnceBestFirst) {
  kept_.annotations = {{{10, 10, 30, 30}, 0}, {{11, 10, 31, 30}, 1}};
  copy_.annotations = {{{11, 10, 31, 30}, 1}, {{12, 10, 32, 30}, 0}};
  const LabelComparison labels = compare_labels(kept_, copy_, {1, 0, 0, 0, 1, 0}, classes_);
  EXPECT_EQ(labels.agree, 2U);
  EXPECT_EQ(describe(labels), "2 labels agree");
}

TEST_F(CompareLabels, AnInverseUndoesItsTransform) {
  const cv::Matx23d m(0.1, -2, 30, 1.5, 0.2, -7), back = inverse(m);
  const cv::Vec2d there = m * cv::Vec3d(12, 34, 1), again = back * cv::Vec3d(there[0], there[1], 1);
  EXPECT_NEAR(again[0], 12, 1e-9);
  EXPECT_NEAR(again[1], 34, 1e-9);
}

}  // namespace
}  // namespace smearscope::corpus
