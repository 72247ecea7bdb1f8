// Confusion matrix, counts, calibration, best threshold.
#include <gtest/gtest.h>

#include "metrics_data.h"

namespace smearscope::testing {
namespace {

TEST(Confusion, HasWhatEachCellWasTakenFor) {
  const Image image =
      image_of({truth(square(0)), truth(square(50)), truth(square(100), 1)},
               {found(square(0), 0.9, 0), found(square(50), 0.8, 1), found(square(200), 0.7, 1)});
  const Confusion confusion = confusion_of(data_of({image}, 2), Labels::as_complete, 0.5);
  EXPECT_EQ(confusion.background(), 2U);
  EXPECT_EQ(confusion.count(0, 0), 1U);
  EXPECT_EQ(confusion.count(0, 1), 1U);
  EXPECT_EQ(confusion.count(1, 2), 1U);  // missed
  EXPECT_EQ(confusion.count(2, 1), 1U);  // nothing there
  EXPECT_EQ(confusion.count(2, 2), 0U);
}

TEST(Confusion, OnlyScoresAboveTheThresholdTakePart) {
  const Image image = image_of({truth(square(0))}, {found(square(0), 0.5)});
  EXPECT_EQ(confusion_of(data_of({image}), Labels::as_complete, 0.5).count(0, 1), 1U);
  EXPECT_EQ(confusion_of(data_of({image}), Labels::as_complete, 0.49).count(0, 0), 1U);
}

TEST(Confusion, TheBestScoreChoosesFirstWhateverItsClass) {
  const Image image = image_of({truth(square(0))}, {found(square(0), 0.8, 0), found(square(0), 0.9, 1)});
  const Confusion confusion = confusion_of(data_of({image}, 2), Labels::as_complete, 0.5);
  EXPECT_EQ(confusion.count(0, 1), 1U);
  EXPECT_EQ(confusion.count(2, 0), 1U);
}

TEST(Confusion, OfEquallyOverlappedBoxesTheOwnClassIsTaken) {
  for (const auto& boxes : {std::vector{truth(square(0), 0), truth(square(0), 1)},
                            std::vector{truth(square(0), 1), truth(square(0), 0)}}) {
    const Confusion confusion =
        confusion_of(data_of({image_of(boxes, {found(square(0), 0.9, 1)})}, 2), Labels::as_complete, 0.5);
    EXPECT_EQ(confusion.count(1, 1), 1U);
    EXPECT_EQ(confusion.count(0, 2), 1U);
  }
}

TEST(Confusion, ADetectionOverACrowdIsNoMistake) {
  const Image image = image_of({crowd({0, 0, 12, 10})}, {found(square(0), 0.9), found(square(1), 0.8)});
  const Confusion confusion = confusion_of(data_of({image}), Labels::as_complete, 0.5);
  EXPECT_EQ(confusion.count(1, 0) + confusion.count(0, 0) + confusion.count(0, 1), 0U);
}

TEST(Counts, ErrorsOfImagesMayCancelOutInTheTotal) {
  const Image one_too_many = image_of({truth(square(0))}, {found(square(0), 0.9), found(square(50), 0.9)});
  const Image one_too_few = image_of({truth(square(0)), truth(square(50))}, {found(square(0), 0.9)});
  const Image empty = image_of({}, {});
  const CountErrors errors =
      figures_of(data_of({one_too_many, one_too_few, one_too_few, empty})).categories[0].count_errors;
  EXPECT_EQ(errors.images, 4U);
  EXPECT_EQ(errors.truth, 5U);
  EXPECT_EQ(errors.found, 4U);
  EXPECT_NEAR(errors.mean_error, -0.25, 1e-12);
  EXPECT_NEAR(errors.mean_absolute_error, 0.75, 1e-12);
  EXPECT_NEAR(errors.relative_error_of_total, -0.2, 1e-12);
}

TEST(Counts, MoreThanAHundredCellsAreCounted) {
  Image image;
  for (int i = 0; i < 139; ++i) {
    image.truth.push_back(truth(square(20.0 * i)));
    image.found.push_back(found(square(20.0 * i), 0.9));
  }
  EXPECT_EQ(figures_of(data_of({image})).categories[0].count_errors.found, 139U);
  EXPECT_EQ(figures_of(data_of({image})).categories[0].best.recall, 1);
}

TEST(Calibration, TheErrorIsTheMeanGapBetweenScoreAndPrecision) {
  const Image image = image_of({truth(square(0)), truth(square(50))},
                               {found(square(0), 0.95), found(square(50), 0.97), found(square(200), 0.25)});
  const Calibration calibration = figures_of(data_of({image})).categories[0].calibration;
  EXPECT_EQ(calibration.bins[14].found, 2U);
  EXPECT_NEAR(calibration.bins[14].mean_score(), 0.96, 1e-12);
  EXPECT_EQ(calibration.bins[14].precision(), 1);
  EXPECT_EQ(calibration.bins[3].found, 1U);
  EXPECT_NEAR(calibration.expected_error(), (2 * 0.04 + 0.25) / 3, 1e-12);
  EXPECT_EQ(Calibration().expected_error(), no_figure);
}

TEST(Calibration, ABinHoldsItsUpperBound) {
  const Image image = image_of(
      {}, {found(square(0), 0), found(square(0), 1.0 / 15), found(square(0), 0.2), found(square(0), 1)});
  const Calibration calibration = figures_of(data_of({image})).categories[0].calibration;
  EXPECT_EQ(calibration.bins[0].found, 2U);
  EXPECT_EQ(calibration.bins[2].found, 1U);
  EXPECT_EQ(calibration.bins[14].found, 1U);
  EXPECT_EQ(figures_of(data_of({image})).calibration_shown.found(), 1U);
}

TEST(BestThreshold, PartsTheScoresWhereF1IsBest) {
  const Image image = image_of({truth(square(0)), truth(square(50))},
                               {found(square(0), 0.9), found(square(50), 0.8), found(square(200), 0.6)});
  const BestThreshold best = figures_of(data_of({image})).categories[0].best;
  EXPECT_NEAR(best.threshold, 0.7, 1e-12);
  EXPECT_EQ(best.f1, 1);
  EXPECT_EQ(best.precision, 1);
  EXPECT_EQ(best.recall, 1);
}

TEST(BestThreshold, DoesNotPartEqualScores) {
  const Image image = image_of({truth(square(0))}, {found(square(0), 0.8), found(square(200), 0.8)});
  const BestThreshold best = figures_of(data_of({image})).categories[0].best;
  EXPECT_NEAR(best.f1, 2.0 / 3, 1e-12);
  EXPECT_NEAR(best.threshold, 0.4, 1e-12);
}

TEST(BestThreshold, IsNoneWhereNothingRightIsFound) {
  EXPECT_EQ(figures_of(data_of({image_of({truth(square(0))}, {found(square(50), 0.8)})}))
                .categories[0]
                .best.threshold,
            no_figure);
}

}  // namespace
}  // namespace smearscope::testing
