// COCO's figures by hand; tests/oracles/metrics holds them to pycocotools.
#include <gtest/gtest.h>

#include "metrics_data.h"

namespace smearscope::testing {
namespace {

double ap50(const Data& data) {
  return figures_of(data).coco.ap50;
}

TEST(CocoFigures, ThresholdsAreNumPysToTheLastBit) {
  EXPECT_EQ(iou_thresholds()[2], 0.6);
  EXPECT_EQ(iou_thresholds()[iou_75], 0.75);
  EXPECT_EQ(iou_thresholds()[7], 0.85);  // unlike 0.5 + 7 * 0.05
  EXPECT_EQ(iou_thresholds()[8], 0.8999999999999999);
  EXPECT_EQ(iou_thresholds()[9], 0.95);
  EXPECT_EQ(recall_levels()[35], 35 * 0.01);  // which is not 0.35
  EXPECT_EQ(recall_levels()[100], 1.0);
}

TEST(CocoFigures, PerfectDetectionsScoreOne) {
  const Figures figures = figures_of(data_of({image_of({truth(square(0))}, {found(square(0), 0.9)})}));
  EXPECT_NEAR(figures.coco.ap, 1, 1e-12);
  EXPECT_NEAR(figures.coco.ar1, 1, 1e-12);
}

TEST(CocoFigures, AnIouOfExactlyTheThresholdMatches) {
  const Data data = data_of({image_of({truth(square(0))}, {found(part_of(0, 0.75), 0.9)})});
  EXPECT_NEAR(figures_of(data).coco.ap, 0.6, 1e-12);  // 6 of the 10 thresholds
  EXPECT_NEAR(figures_of(data).coco.ap75, 1, 1e-12);
  EXPECT_NEAR(ap50(data_of({image_of({truth(square(0))}, {found(part_of(0, 0.5), 0.9)})})), 1, 1e-12);
}

TEST(CocoFigures, ASecondDetectionOfABoxIsFalse) {
  const Image twice = image_of({truth(square(0)), truth(square(50))},
                               {found(square(0), 0.9), found(square(0), 0.8), found(square(50), 0.7)});
  // Precision 1 up to recall 0.5 (51 levels), then 2/3.
  EXPECT_NEAR(ap50(data_of({twice})), (51 + 50 * 2.0 / 3) / 101, 1e-12);
}

TEST(CocoFigures, ABoxGoesToTheBetterScoreAndADetectionToTheLargerOverlap) {
  const Image image =
      image_of({truth(square(2)), truth(square(0))}, {found(square(2), 0.9), found(square(-2), 0.8)});
  EXPECT_NEAR(ap50(data_of({image})), 1, 1e-12);
}

TEST(CocoFigures, EqualScoresAreInTheOrderOfImagesAndFiles) {
  const Image right = image_of({truth(square(0))}, {found(square(0), 0.5)});
  const Image wrong = image_of({}, {found(square(0), 0.5)});
  EXPECT_NEAR(ap50(data_of({right, wrong})), 1, 1e-12);
  EXPECT_NEAR(ap50(data_of({wrong, right})), 0.5, 1e-12);
}

TEST(CocoFigures, ACrowdTakesAnyNumberOfDetectionsAndNoneCounts) {
  const Image image = image_of({truth(square(50)), crowd({0, 0, 40, 40})},
                               {found(square(0), 0.9), found(square(20), 0.8), found(square(50), 0.7)});
  EXPECT_NEAR(ap50(data_of({image})), 1, 1e-12);
  EXPECT_EQ(figures_of(data_of({image})).categories[0].boxes, 1U);
}

TEST(CocoFigures, AreaRangesHoldBothTheirBounds) {
  for (const auto& [side, small, medium, large] :
       {std::tuple{31.0, 1.0, -1.0, -1.0}, std::tuple{32.0, 1.0, 1.0, -1.0},
        std::tuple{33.0, -1.0, 1.0, -1.0}, std::tuple{96.0, -1.0, 1.0, 1.0},
        std::tuple{97.0, -1.0, -1.0, 1.0}}) {
    const Image image = image_of({truth(square(0, side))}, {found(square(0, side), 0.9)});
    const CocoFigures figures = figures_of(data_of({image})).coco;
    EXPECT_NEAR(figures.ap_small, small, 1e-12) << side;
    EXPECT_NEAR(figures.ap_medium, medium, 1e-12) << side;
    EXPECT_NEAR(figures.ar_large, large, 1e-12) << side;
  }
}

// Of other sizes are the truth, or where there is none the detection.
TEST(CocoFigures, InAnAreaRangeDetectionsOfOtherSizesCountForNothing) {
  Image image =
      image_of({truth(square(0)), truth(square(50))}, {found(square(50), 0.9),        // takes a medium cell
                                                       found({200, 0, 50, 50}, 0.8),  // is medium, takes none
                                                       found(square(0), 0.7)});
  image.truth[1].area = 2000;
  EXPECT_NEAR(figures_of(data_of({image})).coco.ap_small, 1, 1e-12);
  image.found.pop_back();
  EXPECT_EQ(figures_of(data_of({image})).coco.ap_small, 0);
}

TEST(CocoFigures, TheHundredBestOfAClassInAnImageTakePart) {
  Image image = image_of({truth(square(0))}, {found(square(0), 0.1)});
  for (int i = 0; i < 100; ++i) image.found.push_back(found(square(100.0 * i + 100), 0.9));
  EXPECT_EQ(ap50(data_of({image})), 0);
  image.found.pop_back();
  EXPECT_NEAR(ap50(data_of({image})), 0.01, 1e-12);
  EXPECT_EQ(figures_of(data_of({image})).coco.ar10, 0);
}

TEST(CocoFigures, AClassWithoutBoxesHasNoFigureAndIsInNoMean) {
  const Image image = image_of({truth(square(0))}, {found(square(0), 0.9), found(square(50), 0.9, 1)});
  const Figures figures = figures_of(data_of({image}, 2));
  EXPECT_EQ(figures.categories[1].coco.ap, no_figure);
  EXPECT_NEAR(figures.coco.ap, 1, 1e-12);
  EXPECT_EQ(figures_of(data_of({image_of({}, {})})).coco.ap, no_figure);
}

TEST(CocoFigures, AClassThatIsNotEvaluatedIsInNoMean) {
  Data data = data_of({image_of({truth(square(0)), truth(square(50), 1)}, {found(square(0), 0.9)})}, 2);
  EXPECT_NEAR(figures_of(data).coco.ap, 0.5, 1e-12);
  data.categories[1].evaluated = false;
  EXPECT_NEAR(figures_of(data).coco.ap, 1, 1e-12);
}

TEST(CocoFigures, ACurveNamesTheScoreThatEachRecallNeeds) {
  const Image image = image_of({truth(square(0)), truth(square(50))},
                               {found(square(0), 0.9), found(square(200), 0.8), found(square(50), 0.7)});
  const PrecisionRecall curve = figures_of(data_of({image})).categories[0].at_50;
  EXPECT_EQ(curve.score[50], 0.9);
  EXPECT_EQ(curve.score[51], 0.7);
  EXPECT_NEAR(curve.precision[51], 2.0 / 3, 1e-12);
}

}  // namespace
}  // namespace smearscope::testing
