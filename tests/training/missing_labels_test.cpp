// What the federated figures forgive, rule by rule, on hand-made cases: each with the figure of complete
// labels beside it.
#include <gtest/gtest.h>

#include "metrics/completeness.h"
#include "metrics_data.h"

namespace smearscope::testing {
namespace {

struct Both {
  double complete, told;
};

Both ap50(const Data& data, int category = 0) {
  const auto c = static_cast<std::size_t>(category);
  return {figures_of(data).categories[c].coco.ap50,
          figures_of(data, Labels::as_told).categories[c].coco.ap50};
}

// One box that is found with a score of 0.5, and a better detection beside it that no box is under.
Image with_stray(double x = 50) {
  return image_of({truth(square(0))}, {found(square(x), 0.9), found(square(0), 0.5)});
}

TEST(MissingLabels, WithoutGapsTheFiguresAreTheSame) {
  const Both both = ap50(data_of({with_stray()}));
  EXPECT_NEAR(both.complete, 0.5, 1e-12);
  EXPECT_NEAR(both.told, 0.5, 1e-12);
}

TEST(MissingLabels, AStrayOfAnOpenClassIsForgivenInThatImageOnly) {
  Image image = with_stray();
  image.open = {0};
  EXPECT_NEAR(ap50(data_of({image})).told, 1, 1e-12);
  EXPECT_NEAR(ap50(data_of({image})).complete, 0.5, 1e-12);
  EXPECT_NEAR(ap50(data_of({image, with_stray()})).told, 2.0 / 3, 1e-12);
  image.open = {1};
  EXPECT_NEAR(ap50(data_of({image}, 2)).told, 0.5, 1e-12);
}

TEST(MissingLabels, ABoxOfAnOpenClassIsStillFoundOrMissed) {
  Image image = image_of({truth(square(0)), truth(square(50))}, {found(square(0), 0.9)});
  image.open = {0};
  EXPECT_NEAR(ap50(data_of({image})).told, 51.0 / 101, 1e-12);
}

TEST(MissingLabels, AStrayMoreThanHalfInsideIgnoreRegionsIsForgiven) {
  Image image = with_stray();
  image.ignore_regions = {{50, 0, 5, 10}};
  EXPECT_NEAR(ap50(data_of({image})).told, 0.5, 1e-12);  // just half
  image.ignore_regions.push_back({54, 0, 2, 10});        // overlaps the first: together 6 of 10
  EXPECT_NEAR(ap50(data_of({image})).told, 1, 1e-12);
  EXPECT_NEAR(ap50(data_of({image})).complete, 0.5, 1e-12);
}

TEST(MissingLabels, ADetectionInsideAnIgnoreRegionThatTakesABoxIsTrue) {
  Image image = image_of({truth(square(0))}, {found(square(0), 0.9)});
  image.ignore_regions = {{0, 0, 100, 100}};
  EXPECT_NEAR(ap50(data_of({image})).told, 1, 1e-12);
}

TEST(MissingLabels, TheShareInsideCountsWhatRegionsShareOnce) {
  const Box box{10, 10, 10, 10};
  EXPECT_EQ(share_inside(box, {}), 0);
  EXPECT_EQ(share_inside(box, {{0, 0, 10, 10}}), 0);
  EXPECT_NEAR(share_inside(box, {{0, 0, 100, 100}, {12, 12, 2, 2}}), 1, 1e-12);
  EXPECT_NEAR(share_inside(box, {{10, 10, 5, 10}, {10, 10, 10, 5}}), 0.75, 1e-12);
  EXPECT_NEAR(share_inside(box, {{10, 10, 10, 2}, {10, 16, 10, 2}, {12, 0, 2, 100}}), 0.4 + 0.12, 1e-12);
}

// wbc is 0; lymphocyte, a kind of it, 1.
Data kinds(std::vector<Image> images) {
  Data data = data_of(std::move(images), 2);
  data.categories[1].parent = 0;
  return data;
}

// A lymphocyte that is found with a score of 0.5, and a better detection of one over a box that says only
// wbc.
Image general_label() {
  return image_of({truth(square(0), 1), truth(square(50), 0)},
                  {found(square(50), 0.9, 1), found(square(0), 0.5, 1)});
}

TEST(MissingLabels, AKindOverABoxOfItsGeneralClassIsForgiven) {
  EXPECT_NEAR(ap50(kinds({general_label()}), 1).told, 1, 1e-12);
  EXPECT_NEAR(ap50(kinds({general_label()}), 1).complete, 0.5, 1e-12);
  EXPECT_NEAR(ap50(data_of({general_label()}, 2), 1).told, 0.5, 1e-12);  // not a kind of it
}

TEST(MissingLabels, TheGeneralBoxStaysToBeFoundByItsOwnClass) {
  EXPECT_EQ(ap50(kinds({general_label()}), 0).told, 0);
}

TEST(MissingLabels, AKindIsNotForgivenWhereABetterDetectionTookTheGeneralBox) {
  Image image = general_label();
  image.found.push_back(found(square(50), 0.95, 0));
  EXPECT_NEAR(ap50(kinds({image}), 1).told, 0.5, 1e-12);
  image.found.back().score = 0.2;
  EXPECT_NEAR(ap50(kinds({image}), 1).told, 1, 1e-12);
}

TEST(MissingLabels, AKindMustOverlapTheGeneralBoxByTheThreshold) {
  Image image = general_label();
  image.found[0].box = part_of(50, 0.6);
  const Figures figures = figures_of(kinds({image}), Labels::as_told);
  EXPECT_NEAR(figures.categories[1].coco.ap50, 1, 1e-12);
  EXPECT_NEAR(figures.categories[1].coco.ap75, 0.5, 1e-12);
}

TEST(MissingLabels, AGeneralDetectionOverABoxOfAKindIsFalse) {
  const Image image = image_of({truth(square(0), 0), truth(square(50), 1)},
                               {found(square(50), 0.9, 0), found(square(0), 0.5, 0)});
  EXPECT_NEAR(ap50(kinds({image}), 0).told, 0.5, 1e-12);
}

TEST(MissingLabels, GrandparentsAreGeneralClassesAndCirclesEnd) {
  std::vector<Category> categories{{"a", -1, true}, {"b", 0, true}, {"c", 1, true}};
  EXPECT_TRUE(is_kind_of(categories, 2, 0));
  EXPECT_FALSE(is_kind_of(categories, 0, 2));
  EXPECT_FALSE(is_kind_of(categories, 1, 1));
  categories[0].parent = 1;
  EXPECT_FALSE(is_kind_of(categories, 1, 2));
  EXPECT_FALSE(is_kind_of(categories, 1, 1));
}

TEST(MissingLabels, CountsLeaveOutImagesWhereTheClassIsOpen) {
  Image open = with_stray();
  open.open = {0};
  open.found[1].score = 0.9;
  const CountErrors errors =
      figures_of(data_of({open, with_stray()}), Labels::as_told).categories[0].count_errors;
  EXPECT_EQ(errors.images, 1U);
  EXPECT_EQ(errors.truth, 1U);
  EXPECT_EQ(errors.found, 1U);
  EXPECT_EQ(figures_of(data_of({open, with_stray()})).categories[0].count_errors.images, 2U);
}

TEST(MissingLabels, CalibrationAndBestThresholdLeaveOutImagesWhereTheClassIsOpen) {
  Image open = with_stray();
  open.open = {0};
  const CategoryFigures figures = figures_of(data_of({open, with_stray()}), Labels::as_told).categories[0];
  EXPECT_EQ(figures.calibration.found(), 2U);
  EXPECT_EQ(figures_of(data_of({open, with_stray()})).categories[0].calibration.found(), 4U);
  EXPECT_NEAR(figures.best.f1, 2.0 / 3, 1e-12);
  EXPECT_EQ(figures_of(data_of({open}), Labels::as_told).categories[0].best.threshold, no_figure);
}

TEST(MissingLabels, TheConfusionMatrixHasNoForgivenStrays) {
  Image image = with_stray();
  image.open = {0};
  EXPECT_EQ(figures_of(data_of({image})).confusion.count(1, 0), 1U);
  EXPECT_EQ(figures_of(data_of({image}), Labels::as_told).confusion.count(1, 0), 0U);
}

}  // namespace
}  // namespace smearscope::testing
