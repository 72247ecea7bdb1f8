// Balance, zoom and copy-paste, on images made in the test.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <opencv2/imgproc.hpp>

#include "corpus/completeness.h"
#include "corpus/folder.h"
#include "corpus_files.h"
#include "loop/balance.h"
#include "loop/copy_paste.h"
#include "loop/samples.h"
#include "loop/zoom.h"
#include "temporary_folder.h"

namespace smearscope::training {
namespace {

using ::testing::ElementsAre;

// 100 images with a cell of class 0; of these 4 have one of class 1 as well, and one has ten of class 2.
std::vector<corpus::Image> unbalanced() {
  std::vector<corpus::Image> images(100);
  for (std::size_t i = 0; i < images.size(); ++i) {
    images[i].annotations.push_back({{0, 0, 5, 5}, 0});
    if (i < 4) images[i].annotations.push_back({{0, 0, 5, 5}, 1});
  }
  for (int i = 0; i < 10; ++i) images[50].annotations.push_back({{0, 0, 5, 5}, 2});
  return images;
}

TEST(Balance, ImagesOfRareClassesAreRepeatedByTheRootOfTheirRarity) {
  Balance balance;
  EXPECT_THAT(class_repeat_factors(unbalanced(), 4, balance), ElementsAre(1, 1, 1, 1));
  balance.repeat_threshold = 0.16;
  EXPECT_THAT(class_repeat_factors(unbalanced(), 4, balance), ElementsAre(1, 2, 4, 1));
  const std::vector<double> factors = repeat_factors(unbalanced(), 4, balance);
  EXPECT_EQ(factors[0], 2);
  EXPECT_EQ(factors[50], 4);
  EXPECT_EQ(factors[99], 1);
  balance.most_repeats = 3;
  EXPECT_EQ(repeat_factors(unbalanced(), 4, balance)[50], 3);
}

TEST(Balance, RareClassesWeighMoreAndTheMeanBoxWeighsOne) {
  Balance balance;
  EXPECT_TRUE(class_weights(unbalanced(), 4, balance).empty());
  balance.effective_number_beta = 0.99;
  const std::vector<double> weights = class_weights(unbalanced(), 4, balance);
  ASSERT_EQ(weights.size(), 5U);
  EXPECT_EQ(weights[0], 1) << "background";
  EXPECT_LT(weights[1], weights[3]);
  EXPECT_LT(weights[3], weights[2]);
  EXPECT_NEAR((100 * weights[1] + 4 * weights[2] + 10 * weights[3]) / 114, 1, 1e-9);
}

Sample sample_of(cv::Size size, const std::vector<corpus::Box>& boxes, double pixel_size_um) {
  Sample sample;
  sample.image = cv::Mat(size, CV_8UC3, cv::Scalar(200, 210, 220));
  for (const corpus::Box& box : boxes) {
    sample.annotations.push_back({box, 0});
    const cv::Point centre(int(box.x_min + box.x_max) / 2, int(box.y_min + box.y_max) / 2);
    cv::ellipse(sample.image, centre, {int(box.width() / 2), int(box.height() / 2)}, 0, 0, 360,
                {120, 60, 140}, cv::FILLED);
  }
  sample.pixel_size_um = pixel_size_um;
  return sample;
}

TEST(Zoom, CellsGetTheSideThatIsWanted) {
  // Cells of 30 pixels in 640x480, which the network makes 320 high: 20 pixels there.
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    Sample sample = sample_of({640, 480}, {{300, 220, 330, 250}}, 7.5 / 30);
    Random random(seed);
    zoom_to(sample, 40, 320, 560, random);
    EXPECT_NEAR(sample.image.rows, 240, 1);
    EXPECT_NEAR(sample.image.cols, 320, 1);
    for (const corpus::Annotation& a : sample.annotations) {
      // The box is on the cell, which is dark.
      EXPECT_LT(sample.image.at<cv::Vec3b>(int(a.box.y_min + a.box.height() / 2),
                                           int(a.box.x_min + a.box.width() / 2))[1],
                100);
    }
  }
}

TEST(Zoom, LargeCellsAndUnknownScalesStay) {
  Random random(1);
  Sample large = sample_of({640, 480}, {}, 7.5 / 100), unknown = sample_of({640, 480}, {}, 0);
  zoom_to(large, 40, 320, 560, random);
  zoom_to(unknown, 40, 320, 560, random);
  EXPECT_EQ(large.image.cols, 640);
  EXPECT_EQ(unknown.image.cols, 640);
}

TEST(Zoom, CellsCutByTheCropBecomeIgnoreRegionsUnlessMostIsVisible) {
  std::size_t whole = 0, regions = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Sample sample = sample_of({200, 200}, {{80, 80, 120, 120}}, 7.5 / 40);
    sample.ignore_regions = {{0, 0, 200, 3}};
    Random random(seed);
    zoom_to(sample, 80, 200, 200, random);
    ASSERT_EQ(sample.image.cols, 100);
    for (const corpus::Annotation& a : sample.annotations) {
      EXPECT_GE(a.box.area(), 0.6 * 1600);
      EXPECT_LE(a.box.x_max, 100);
      ++whole;
    }
    for (const corpus::Box& region : sample.ignore_regions) {
      EXPECT_LE(region.x_max, 100);
      if (region.height() > 3) {
        EXPECT_LT(region.area(), 0.6 * 1600);
        ++regions;
      }
    }
  }
  EXPECT_GT(whole, 100U);
  EXPECT_GT(regions, 20U);
}

TEST(CopyPaste, APastedCellIsWhereItsBoxSaysAndLooksTheSame) {
  const Sample donor = sample_of({100, 100}, {{30, 40, 60, 60}}, 0.2);
  const Cutout cutout = cut_out(donor, donor.annotations[0]);
  for (std::uint64_t seed = 0; seed < 16; ++seed) {
    Sample sample = sample_of({120, 90}, {}, 0.2);
    const cv::Mat before = sample.image.clone(), shared = sample.image;
    Random random(seed);
    ASSERT_TRUE(paste(sample, cutout, random));
    EXPECT_EQ(cv::norm(shared, before), 0) << "the image in the cache must not change";
    ASSERT_EQ(sample.annotations.size(), 1U);
    const corpus::Box& box = sample.annotations[0].box;
    EXPECT_EQ(box.area(), 600);
    cv::Mat dark;
    cv::inRange(sample.image, cv::Scalar(0, 0, 0), cv::Scalar(160, 160, 180), dark);
    const cv::Rect found = cv::boundingRect(dark);
    EXPECT_NEAR(found.x, box.x_min, 2);
    EXPECT_NEAR(found.br().y, box.y_max, 2);
  }
}

TEST(CopyPaste, ScaleAndBackgroundAreThoseOfTheImage) {
  Sample donor = sample_of({100, 100}, {{30, 40, 60, 60}}, 0.1);
  donor.image /= 2;  // under a darker lamp
  const Cutout cutout = cut_out(donor, donor.annotations[0]);
  Sample sample = sample_of({120, 90}, {}, 0.2);
  Random random(1);
  ASSERT_TRUE(paste(sample, cutout, random));
  const corpus::Box& box = sample.annotations[0].box;
  EXPECT_NEAR(box.area(), 150, 30) << "pixels twice as large";
  const cv::Vec3b middle =
      sample.image.at<cv::Vec3b>(int(box.y_min + box.height() / 2), int(box.x_min + box.width() / 2));
  EXPECT_NEAR(middle[0], 120, 4);
  EXPECT_NEAR(middle[2], 140, 4);
  sample.pixel_size_um = 0.02;
  EXPECT_FALSE(paste(sample, cutout, random)) << "five times as large would be no cell any more";
}

TEST(CopyPaste, CellsAndUnknownRegionsStayFree) {
  const Sample donor = sample_of({100, 100}, {{30, 40, 60, 60}}, 0);
  const Cutout cutout = cut_out(donor, donor.annotations[0]);
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Sample sample = sample_of({120, 90}, {{10, 10, 50, 50}}, 0);
    sample.ignore_regions = {{70, 0, 120, 90}};
    Random random(seed);
    if (!paste(sample, cutout, random)) continue;
    const corpus::Box& box = sample.annotations[1].box;
    EXPECT_LT(box.x_min, 70);
    EXPECT_LT(corpus::intersection_over_union(box, sample.annotations[0].box), 0.1);
  }
  Sample full = sample_of({120, 90}, {{0, 0, 120, 90}}, 0);
  Random random(1);
  EXPECT_FALSE(paste(full, cutout, random));
  EXPECT_EQ(full.annotations.size(), 1U);
}

class RareSamples : public ::testing::Test {
 protected:
  // Ten images with one cell of class 1 each; the first has one of class 2 as well.
  RareSamples() {
    corpus_.classes = {{"wbc"}, {"rbc"}, {"lymphocyte", 0}};
    for (unsigned i = 0; i < 10; ++i) {
      corpus_.images.push_back(testing::smear_record(folder_.file("source"), std::to_string(i) + ".png", i));
      corpus_.images.back().annotations = {{{5, 5, 25, 25}, 1}};
      corpus_.images.back().absent = {0, 2};
    }
    corpus_.images[0].annotations.push_back({{60, 30, 80, 50}, 2});
    corpus_.images[0].absent.clear();
    corpus_.images[1].absent = {0};
    corpus_.images[1].not_exhaustive = {1};
    corpus_.images[1].ignore_regions = {{50, 0, 90, 20}};
    corpus::write_corpus(folder_.file("corpus"), corpus_);
    regimen_.optimisation.batch_size = 2;
    regimen_.augmentation.horizontal_flip = regimen_.augmentation.vertical_flip = false;
  }
  Samples samples() { return Samples({{folder_.file("corpus")}}, regimen_, 1); }
  testing::TemporaryFolder folder_;
  corpus::Corpus corpus_;
  Regimen regimen_;
};

TEST_F(RareSamples, ImagesComeAsOftenAsTheirRarestClassAsks) {
  regimen_.balance.repeat_threshold = 0.9;  // 3 for the image with class 2
  const Samples repeated({{folder_.file("corpus")}}, regimen_, 1);
  EXPECT_EQ(repeated.images_per_epoch(), 12U);
  std::map<std::string, int> seen;
  for (std::size_t step = 0; step < repeated.batches_per_epoch(); ++step) {
    for (const Sample& sample : repeated.batch(step).samples)
      ++seen[sample.file.substr(sample.file.rfind('/'))];
  }
  EXPECT_EQ(seen["/0.png"], 3);
  EXPECT_EQ(seen["/7.png"], 1);
}

TEST_F(RareSamples, CompletenessComesWithTheSampleIfTheRegimenWantsIt) {
  const auto second = [&](const Samples& samples) {
    for (std::size_t step = 0;; ++step) {
      for (const Sample& sample : samples.batch(step).samples) {
        if (sample.file.find("/1.png") != std::string::npos) return sample;
      }
    }
  };
  const Samples plain({{folder_.file("corpus")}}, regimen_, 1);
  EXPECT_TRUE(second(plain).ignore_regions.empty());
  EXPECT_TRUE(second(plain).open_classes.empty());
  regimen_.labels.completeness = true;
  const Samples told({{folder_.file("corpus")}}, regimen_, 1);
  EXPECT_EQ(second(told).ignore_regions.size(), 1U);
  EXPECT_THAT(second(told).open_classes, ElementsAre(1, 2));
  EXPECT_THAT(told.class_parents(), ElementsAre(-1, -1, 0));
}

TEST_F(RareSamples, AShareOfTheImagesIsSeenWhole) {
  for (corpus::Image& image : corpus_.images) image.pixel_size_um = 0.5;
  corpus::write_corpus(folder_.file("known"), corpus_);
  regimen_.augmentation.red_cell_sides = {60, 60};  // of 7.5 um, 15 px wide: only crops get there
  regimen_.info.transform.min_side = 64;
  const auto whole = [&](double share) {
    regimen_.augmentation.red_cell_sides_share = share;
    const Samples samples({{folder_.file("known")}}, regimen_, 1);
    int count = 0;
    for (std::size_t step = 0; step < 10 * samples.batches_per_epoch(); ++step) {
      for (const Sample& sample : samples.batch(step).samples) count += sample.image.cols == 96 ? 1 : 0;
    }
    return count;  // of 100
  };
  EXPECT_EQ(whole(1), 0);
  EXPECT_EQ(whole(0), 100);
  EXPECT_NEAR(whole(0.3), 70, 20);
}

TEST_F(RareSamples, CellsOfRareClassesArePasted) {
  regimen_.augmentation.copy_paste = 1;
  const Samples pasting({{folder_.file("corpus")}}, regimen_, 1);
  std::size_t rare = 0, common = 0;
  for (std::size_t step = 0; step < pasting.batches_per_epoch(); ++step) {
    for (const Sample& sample : pasting.batch(step).samples) {
      for (const corpus::Annotation& a : sample.annotations) ++(a.category == 2 ? rare : common);
    }
  }
  EXPECT_EQ(common, 10U) << "of common classes only what is there";
  EXPECT_GT(rare, 8U);
}

TEST(OpenClasses, FollowLvisAndTheClassTree) {
  const std::vector<corpus::Class> classes{{"wbc"}, {"lymphocyte", 0}, {"rbc"}, {"platelet"}};
  corpus::Image image;
  EXPECT_THAT(corpus::open_classes(image, classes), ElementsAre(0, 1, 2, 3)) << "nothing is said";
  image.annotations = {{{0, 0, 5, 5}, 0}};
  image.absent = {2};
  EXPECT_THAT(corpus::open_classes(image, classes), ElementsAre(3)) << "a wbc may be the lymphocyte";
  image.annotations[0].category = 1;
  EXPECT_THAT(corpus::open_classes(image, classes), ElementsAre(3));
  image.not_exhaustive = {1};
  EXPECT_THAT(corpus::open_classes(image, classes), ElementsAre(1, 3));
  image.regions_complete = true;
  EXPECT_TRUE(corpus::open_classes(image, classes).empty());
}

}  // namespace
}  // namespace smearscope::training
