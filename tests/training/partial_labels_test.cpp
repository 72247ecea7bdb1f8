// What is not known is no negative; a general label is the sum of its kinds.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "network/faster_rcnn.h"
#include "network/targets.h"

namespace smearscope::training {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A grid of 10x10 boxes, 8 across and 8 down, that share their edges.
AnchorSet grid() {
  AnchorSet anchors;
  for (int y = 0; y < 8; ++y) {
    for (int x = 0; x < 8; ++x) anchors.boxes.push_back({10.F * x, 10.F * y, 10.F * x + 10, 10.F * y + 10});
  }
  return anchors;
}

TrainingSettings all_samples() {
  TrainingSettings settings;
  settings.rpn_samples = settings.roi_samples = 1000;
  settings.rpn_positive_fraction = settings.roi_positive_fraction = 0.5;
  return settings;
}

Objects one_cell() {
  Objects objects;
  objects.boxes = {{0, 0, 10, 10}};
  objects.labels = {1};
  return objects;
}

std::vector<std::int64_t> negatives(const Objects& objects) {
  std::vector<RandomGenerator> random{RandomGenerator(1)};
  const RpnSamples samples = sample_anchors(grid(), {objects}, all_samples(), random);
  return {samples.anchors.begin() + static_cast<std::ptrdiff_t>(samples.deltas.size() / 4),
          samples.anchors.end()};
}

TEST(PartialLabels, EveryOtherAnchorIsANegativeWhereAllIsKnown) {
  EXPECT_EQ(negatives(one_cell()).size(), 63U);
}

TEST(PartialLabels, AnAnchorMostlyInAnIgnoreRegionIsNoNegative) {
  Objects objects = one_cell();
  objects.ignore_regions = {{20, 0, 44, 10}};  // boxes 2 and 3, and less than half of box 4
  const std::vector<std::int64_t> found = negatives(objects);
  EXPECT_EQ(found.size(), 61U);
  for (const std::int64_t anchor : found) EXPECT_TRUE(anchor != 2 && anchor != 3);
}

TEST(PartialLabels, ALabelledCellInAnIgnoreRegionIsLearnt) {
  Objects objects = one_cell();
  objects.ignore_regions = {{0, 0, 80, 80}};
  std::vector<RandomGenerator> random{RandomGenerator(1)};
  EXPECT_THAT(sample_anchors(grid(), {objects}, all_samples(), random).anchors, ElementsAre(0));
}

TEST(PartialLabels, WithOpenClassesOnlyAnchorsThatOverlapACellAreNegatives) {
  Objects objects = one_cell();
  objects.boxes = {{0, 0, 12, 12}};
  objects.open_classes = {2};
  EXPECT_THAT(negatives(objects), ElementsAre(1, 8, 9));
}

RoiSamples sampled(const Objects& objects, const TrainingSettings& settings) {
  std::vector<RandomGenerator> random{RandomGenerator(1)};
  return sample_proposals({grid().boxes}, {objects}, 3, settings, random);
}

TEST(PartialLabels, WhereAllIsKnownRowsAreTheirLabelAlone) {
  const RoiSamples samples = sampled(one_cell(), all_samples());
  EXPECT_EQ(samples.labels.size(), 65U) << "the ground truth is a proposal too";
  EXPECT_TRUE(samples.allowed.empty());
  EXPECT_THAT(samples.box_rows, ElementsAre(0, 64));
  EXPECT_THAT(samples.box_classes, ElementsAre(1, 1));
}

TEST(PartialLabels, AProposalMostlyInAnIgnoreRegionIsNotSampled) {
  Objects objects = one_cell();
  objects.ignore_regions = {{20, 0, 44, 10}};
  EXPECT_EQ(sampled(objects, all_samples()).labels.size(), 63U);
}

TEST(PartialLabels, BackgroundMayBeAnOpenClass) {
  Objects objects = one_cell();
  objects.open_classes = {3};
  const RoiSamples samples = sampled(objects, all_samples());
  ASSERT_EQ(samples.labels.size(), 65U);
  ASSERT_EQ(samples.allowed.size(), 65U * 4);
  const auto row = [&](std::size_t i) {
    return std::vector<int>(samples.allowed.begin() + static_cast<std::ptrdiff_t>(4 * i),
                            samples.allowed.begin() + static_cast<std::ptrdiff_t>(4 * i + 4));
  };
  EXPECT_THAT(row(0), ElementsAre(0, 1, 0, 0));
  EXPECT_THAT(row(1), ElementsAre(1, 0, 0, 1));
}

TEST(PartialLabels, AGeneralLabelMayBeAnyOfItsKindsAndTeachesAllTheirBoxes) {
  TrainingSettings settings = all_samples();
  settings.class_parents = {-1, 0, 1};  // 3 is a kind of 2, which is a kind of 1
  Objects objects = one_cell();
  objects.labels = {2};
  const RoiSamples samples = sampled(objects, settings);
  ASSERT_EQ(samples.labels.at(0), 2);
  EXPECT_THAT(std::vector<int>(samples.allowed.begin(), samples.allowed.begin() + 4),
              ElementsAre(0, 0, 1, 1));
  EXPECT_THAT(samples.box_rows, ElementsAre(0, 0, 64, 64));
  EXPECT_THAT(samples.box_classes, ElementsAre(2, 3, 2, 3));
  EXPECT_THAT(samples.box_weights, ElementsAre(0.5F, 0.5F, 0.5F, 0.5F));
}

TEST(PartialLabels, AGeneralNameTakesItsShareOfTheBoxFirst) {
  TrainingSettings settings = all_samples();
  settings.class_parents = {-1, 0, 1};
  settings.own_name_share = 0.5;
  Objects objects = one_cell();
  objects.labels = {2};
  const RoiSamples samples = sampled(objects, settings);
  EXPECT_THAT(samples.box_classes, ElementsAre(2, 3, 2, 3));
  EXPECT_THAT(samples.box_weights, ElementsAre(0.75F, 0.25F, 0.75F, 0.25F));
}

class PartialLosses : public ::testing::Test {
 protected:
  PartialLosses() {
    info_.name = "test";
    info_.architecture.backbone = "resnet18";
    info_.architecture.fpn_channels = 16;
    info_.architecture.head_width = 32;
    info_.classes = {"wbc", "lymphocyte", "rbc"};
    info_.transform.min_side = 64;
    info_.transform.max_side = 128;
    at::manual_seed(8);
    image_ = at::rand({3, 64, 64});
    target_ = {at::tensor({10.F, 10.F, 40.F, 30.F}).view({1, 4}), at::tensor({std::int64_t{1}})};
  }
  Losses losses(const TrainingSettings& settings, const Target& target) {
    at::manual_seed(7);
    FasterRcnn network(info_, settings);
    network->eval();  // batch norm of one image would hide what changes
    return network->losses({image_}, {target});
  }
  double classification(const TrainingSettings& settings, const Target& target) {
    return losses(settings, target).classification.item<double>();
  }
  std::string error_of(const TrainingSettings& settings, const Target& target) {
    try {
      losses(settings, target);
    } catch (const Error& problem) {
      return problem.what();
    }
    return "no error";
  }
  ModelInfo info_;
  at::Tensor image_;
  Target target_;
};

TEST_F(PartialLosses, WeightsOfOneAndNoFocusAreCrossEntropy) {
  TrainingSettings plain, weighted;
  weighted.classification.class_weights = {1, 1, 1, 1};
  EXPECT_NEAR(classification(plain, target_), classification(weighted, target_), 1e-6);
}

TEST_F(PartialLosses, AGeneralLabelCostsLessThanItsClassAlone) {
  TrainingSettings plain, parents;
  parents.class_parents = {-1, 0, -1};
  EXPECT_LT(classification(parents, target_), classification(plain, target_) - 1e-4);
  // A label without kinds means what it meant.
  target_.labels = at::tensor({std::int64_t{3}});
  EXPECT_NEAR(classification(parents, target_), classification(plain, target_), 1e-6);
}

TEST_F(PartialLosses, AGeneralLabelIsLearntAsFarAsItsOwnNameHasAShare) {
  TrainingSettings plain, parents;
  parents.class_parents = {-1, 0, -1};
  const double alone = classification(plain, target_), any = classification(parents, target_);
  for (const double share : {0.25, 1.0}) {
    parents.own_name_share = share;
    EXPECT_NEAR(classification(parents, target_), any + share * (alone - any), 1e-5) << share;
  }
  // What nobody labelled has no name of its own.
  target_.open_classes = {3};
  parents.own_name_share = 0;
  const double open_any = classification(parents, target_);
  parents.own_name_share = 1;
  EXPECT_NEAR(classification(parents, target_) - open_any, alone - any, 1e-5);
}

TEST_F(PartialLosses, MixedPrecisionIsNearF32AndItsGradientsAreF32) {
  const auto gradients = [&](MixedPrecision autocast, double* loss) {
    TrainingSettings settings;
    settings.autocast = autocast;
    at::manual_seed(7);
    FasterRcnn network(info_, settings);
    network->eval();
    const Losses losses = network->losses({image_}, {target_});
    EXPECT_EQ(losses.total().scalar_type(), at::kFloat);
    // Not the box head's: random weights propose boxes in an order that any rounding changes.
    (losses.objectness + losses.rpn_box).backward();
    *loss = losses.total().item<double>();
    std::vector<at::Tensor> all;
    for (const auto& item : network->named_parameters()) {
      if (!item.value().grad().defined()) continue;
      EXPECT_EQ(item.value().grad().scalar_type(), at::kFloat) << item.key();
      all.push_back(item.value().grad().flatten());
    }
    return at::cat(all);
  };
  double exact = 0, mixed = 0;
  const at::Tensor exact_gradients = gradients(MixedPrecision::off, &exact),
                   mixed_gradients = gradients(MixedPrecision::bf16, &mixed);
  EXPECT_NE(mixed, exact);
  EXPECT_NEAR(mixed, exact, 0.02 * exact);
  EXPECT_GT(at::cosine_similarity(mixed_gradients, exact_gradients, 0).item<double>(), 0.95);
}

TEST_F(PartialLosses, OpenClassesMakeBackgroundCheaper) {
  Target open = target_;
  open.open_classes = {3};
  EXPECT_LT(classification({}, open), classification({}, target_) - 1e-4);
}

TEST_F(PartialLosses, AnImageThatIsAllUnknownTeachesNoBackground) {
  Target unknown{at::zeros({0, 4}), at::zeros({0}, at::kLong)};
  // So large that the largest anchors at the border lie in it, too.
  unknown.ignore_regions = at::tensor({-1000.F, -1000.F, 1000.F, 1000.F}).view({1, 4});
  const Losses none = losses({}, unknown);
  for (const at::Tensor& loss : {none.objectness, none.rpn_box, none.classification, none.box})
    EXPECT_EQ(loss.item<double>(), 0);
}

TEST_F(PartialLosses, FocusLowersTheLossOfWhatIsCertain) {
  TrainingSettings focal;
  focal.classification.focal_gamma = 2;
  EXPECT_LT(classification(focal, target_), classification({}, target_));
}

TEST_F(PartialLosses, AHeavierClassCountsMore) {
  TrainingSettings heavy;
  heavy.classification.class_weights = {1e-6, 1, 1, 1};
  const double of_objects_alone = classification(heavy, target_);
  heavy.classification.class_weights = {1, 1e-6, 1, 1};
  EXPECT_GT(std::abs(classification(heavy, target_) - of_objects_alone), 0.01);
}

TEST_F(PartialLosses, GradientsAreFiniteWithAllOfThem) {
  TrainingSettings all;
  all.class_parents = {-1, 0, -1};
  all.classification.focal_gamma = 2;
  all.classification.class_weights = {1, 2, 3, 4};
  target_.open_classes = {3};
  at::manual_seed(7);
  FasterRcnn network(info_, all);
  network->losses({image_}, {target_}).total().backward();
  for (const auto& item : network->named_parameters()) {
    if (!item.value().grad().defined()) continue;
    EXPECT_TRUE(item.value().grad().isfinite().all().item<bool>()) << item.key();
  }
}

TEST_F(PartialLosses, BadRequestsAreNamed) {
  TrainingSettings settings;
  settings.class_parents = {-1, 0};
  EXPECT_THAT(error_of(settings, target_), HasSubstr("one parent for each class"));
  settings.class_parents = {1, 0, -1};
  EXPECT_THAT(error_of(settings, target_), HasSubstr("circle"));
  settings.class_parents.clear();
  settings.own_name_share = 1.5;
  EXPECT_THAT(error_of(settings, target_), HasSubstr("own_name_share must be in 0..1"));
  settings.own_name_share = 0;
  settings.classification.class_weights = {1, 1};
  EXPECT_THAT(error_of(settings, target_), HasSubstr("a weight for background and each class"));
  settings.classification.class_weights = {1, 1, 0, 1};
  EXPECT_THAT(error_of(settings, target_), HasSubstr("positive"));
  Target bad = target_;
  bad.open_classes = {4};
  EXPECT_THAT(error_of({}, bad), HasSubstr("open class 4 is not in 1..3"));
  bad = target_;
  bad.ignore_regions = at::tensor({5.F, 5.F, 5.F, 9.F}).view({1, 4});
  EXPECT_THAT(error_of({}, bad), HasSubstr("ignore region 0 [5, 5, 5, 9]: has no area"));
}

}  // namespace
}  // namespace smearscope::training
