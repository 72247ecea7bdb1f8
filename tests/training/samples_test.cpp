#include "loop/samples.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "corpus/folder.h"
#include "corpus_files.h"
#include "loop/augment.h"
#include "loop/loader.h"
#include "temporary_folder.h"

namespace smearscope::training {
namespace {

using testing::TemporaryFolder;

class SamplesTest : public ::testing::Test {
 protected:
  SamplesTest() {
    regimen_.optimisation.batch_size = 3;
    regimen_.optimisation.min_sides = {64, 96};
    regimen_.augmentation.transpose = true;
    regimen_.augmentation.brightness = regimen_.augmentation.hue = 0.1;
  }
  std::string make_corpus(const std::string& name, unsigned images, const std::vector<std::string>& classes) {
    corpus::Corpus corpus;
    for (const std::string& name : classes) corpus.classes.push_back({name});
    for (unsigned i = 0; i < images; ++i) {
      corpus.images.push_back(
          testing::smear_record(folder_.file("source-" + name), std::to_string(i) + ".png", i));
    }
    corpus::write_corpus(folder_.file(name), corpus);
    return folder_.file(name);
  }
  std::string make_corpus(const std::string& name, unsigned images) {
    return make_corpus(name, images, {"wbc", "rbc", "platelet"});
  }
  TemporaryFolder folder_;
  Regimen regimen_;
};

void expect_same(const Batch& a, const Batch& b) {
  EXPECT_EQ(a.min_side, b.min_side);
  EXPECT_EQ(a.sampling_seed, b.sampling_seed);
  ASSERT_EQ(a.samples.size(), b.samples.size());
  for (std::size_t i = 0; i < a.samples.size(); ++i) {
    EXPECT_EQ(a.samples[i].file, b.samples[i].file);
    ASSERT_EQ(a.samples[i].image.size(), b.samples[i].image.size());
    EXPECT_EQ(cv::norm(a.samples[i].image, b.samples[i].image), 0);
  }
}

TEST_F(SamplesTest, EveryImageIsSeenOnceAnEpochInAnotherOrderEach) {
  const Samples samples({{make_corpus("c", 7)}}, regimen_, 1);
  ASSERT_EQ(samples.batches_per_epoch(), 3U);
  std::vector<std::vector<std::string>> orders(2);
  for (std::size_t step = 0; step < 6; ++step) {
    for (const Sample& sample : samples.batch(step).samples) orders[step / 3].push_back(sample.file);
  }
  EXPECT_NE(orders[0], orders[1]);
  for (auto& order : orders) {
    std::sort(order.begin(), order.end());
    EXPECT_EQ(order.size(), 7U);
    EXPECT_EQ(std::unique(order.begin(), order.end()), order.end());
  }
}

TEST_F(SamplesTest, WeightsSayHowOftenACorpusIsSeen) {
  const std::string a = make_corpus("a", 4), b = make_corpus("b", 10), c = make_corpus("c", 3);
  const Samples samples({{a, 2.5}, {b, 0.3}, {c, 0}}, regimen_, 1);
  EXPECT_EQ(samples.images_per_epoch(), 13U);
  std::map<std::string, int> seen;
  for (std::size_t step = 0; step < samples.batches_per_epoch(); ++step) {
    for (const Sample& sample : samples.batch(step).samples) ++seen[sample.file];
  }
  int from_a = 0;
  for (const auto& [file, count] : seen) {
    EXPECT_EQ(file.find(c), std::string::npos);
    if (file.find(a) == 0) {
      from_a += count;
      EXPECT_TRUE(count == 2 || count == 3) << file << " " << count;
    }
  }
  EXPECT_EQ(from_a, 10);
}

TEST_F(SamplesTest, ABatchFollowsFromSeedAndStepAlone) {
  const std::string corpus = make_corpus("c", 7);
  const Samples one({{corpus}}, regimen_, 5), other({{corpus}}, regimen_, 5), third({{corpus}}, regimen_, 6);
  one.batch(0);
  one.batch(9);
  expect_same(one.batch(4), other.batch(4));
  EXPECT_NE(one.batch(4).sampling_seed, third.batch(4).sampling_seed);
}

TEST_F(SamplesTest, TheLoaderGivesTheSameBatchesInOrderWithAnyThreads) {
  const Samples samples({{make_corpus("c", 7)}}, regimen_, 1);
  for (int threads : {1, 3}) {
    Loader loader(samples, 2, 9, threads);
    for (std::size_t step = 2; step < 9; ++step) expect_same(loader.next(), samples.batch(step));
  }
  Loader abandoned(samples, 0, 100, 2);  // ends without being emptied
}

TEST_F(SamplesTest, AnImageThatCannotBeReadIsAnErrorWithItsName) {
  const std::string corpus = make_corpus("c", 3);
  testing::write_text(corpus + "/images/1.png", "broken");
  const Samples samples({{corpus}}, regimen_, 1);
  Loader loader(samples, 0, 1, 1);
  try {
    loader.next();
    FAIL() << "no error";
  } catch (const Error& problem) {
    EXPECT_THAT(problem.what(), ::testing::HasSubstr("1.png"));
  }
}

TEST_F(SamplesTest, AnImageOfAnotherSizeThanItsAnnotationsIsAnError) {
  const std::string corpus = make_corpus("c", 1);
  testing::write_smear(corpus + "/images/0.png", 1, 50, 40);
  EXPECT_THROW(Samples({{corpus}}, regimen_, 1).batch(0), Error);
}

TEST_F(SamplesTest, CorporaThatCannotBeTrainedOnAreErrors) {
  EXPECT_THROW(Samples({{folder_.file("missing")}}, regimen_, 1), Error);
  EXPECT_THROW(Samples({{make_corpus("a", 2)}, {make_corpus("b", 2, {"cell", "rbc", "wbc"})}}, regimen_, 1),
               Error);
  const std::string flat = make_corpus("flat", 2), tree = make_corpus("tree", 2);
  corpus::Corpus corpus = corpus::read_corpus(tree);
  corpus.classes[2].parent = 0;
  corpus::write_corpus(folder_.file("tree2"), corpus);
  EXPECT_THROW(Samples({{flat}, {folder_.file("tree2")}}, regimen_, 1), Error) << "another tree of classes";
  testing::write_text(folder_.file("empty/annotations/train.json"),
                      R"({"categories": [], "images": [], "annotations": []})");
  EXPECT_THROW(Samples({{folder_.file("empty")}}, regimen_, 1), Error);
  EXPECT_THROW(Samples({{make_corpus("c", 2), 0.0}}, regimen_, 1), Error);
}

// A dark rectangle is where its box says, whatever was done to the image.
TEST(Augment, BoxesMoveWithTheImage) {
  Augmentation options;
  options.transpose = true;
  options.contrast = options.saturation = 0.2;
  for (std::uint64_t seed = 0; seed < 16; ++seed) {
    cv::Mat image(40, 60, CV_8UC3, cv::Scalar(200, 200, 200));
    image(cv::Rect(5, 8, 20, 10)).setTo(cv::Scalar(40, 40, 40));
    const cv::Mat before = image.clone();
    Sample sample;
    sample.image = image;
    sample.annotations = {{{5, 8, 25, 18}, 1}};
    sample.ignore_regions = {{5, 8, 25, 18}};
    Random random(seed);
    augment(sample, options, random);
    EXPECT_EQ(cv::norm(image, before), 0) << "the image in the cache must not change";
    const corpus::Box &box = sample.annotations[0].box, &region = sample.ignore_regions[0];
    EXPECT_TRUE(box.x_min == region.x_min && box.y_max == region.y_max);
    const cv::Rect inside(int(box.x_min), int(box.y_min), int(box.width()), int(box.height()));
    EXPECT_EQ(inside.area(), 200);
    cv::Mat dark;
    cv::inRange(sample.image, cv::Scalar(0, 0, 0), cv::Scalar(120, 120, 120), dark);
    EXPECT_EQ(cv::countNonZero(dark), 200);
    EXPECT_EQ(cv::countNonZero(dark(inside)), 200);
  }
}

TEST(Augment, AllEightOrientationsComeUp) {
  Augmentation options;
  options.transpose = true;
  std::set<std::vector<unsigned char>> seen;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    cv::Mat image(3, 3, CV_8UC3, cv::Scalar(0, 0, 0));
    image.at<cv::Vec3b>(0, 1) = {255, 0, 0};
    image.at<cv::Vec3b>(0, 0) = {9, 0, 0};
    Sample sample;
    sample.image = image;
    Random random(seed);
    augment(sample, options, random);
    seen.insert(std::vector<unsigned char>(sample.image.data, sample.image.data + 27));
  }
  EXPECT_EQ(seen.size(), 8U);
}

TEST(Augment, WithoutColourOptionsPixelsOnlyMove) {
  Sample sample;
  sample.image = cv::Mat(20, 20, CV_8UC3, cv::Scalar(12, 34, 56));
  Random random(1);
  augment(sample, Augmentation(), random);
  EXPECT_EQ(sample.image.at<cv::Vec3b>(7, 7), cv::Vec3b(12, 34, 56));
}

TEST(Augment, AHueTurnLeavesGreyAsItIs) {
  Augmentation options;
  options.hue = 0.5;
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    Sample sample;
    sample.image = cv::Mat(4, 4, CV_8UC3, cv::Scalar(90, 90, 90));
    Random random(seed);
    augment(sample, options, random);
    EXPECT_LE(cv::norm(sample.image, cv::Mat(4, 4, CV_8UC3, cv::Scalar(90, 90, 90)), cv::NORM_INF), 1);
  }
}

}  // namespace
}  // namespace smearscope::training
