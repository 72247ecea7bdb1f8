#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <functional>
#include <set>

#include "network/faster_rcnn.h"
#include "network/image_batch.h"

namespace smearscope::training {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

ModelInfo small_info() {
  ModelInfo info;
  info.name = "test";
  info.architecture.backbone = "resnet18";
  info.architecture.fpn_channels = 16;
  info.architecture.head_width = 32;
  info.classes = {"wbc", "rbc", "platelet"};
  info.transform.min_side = 64;
  info.transform.max_side = 128;
  info.thresholds.score = 0;
  return info;
}

FasterRcnn small_network(const TrainingSettings& settings = {}) {
  at::manual_seed(7);
  return FasterRcnn(small_info(), settings);
}

struct Batch {
  std::vector<at::Tensor> images;
  std::vector<Target> targets;
};

Target target(const std::vector<float>& boxes, const std::vector<std::int64_t>& labels) {
  return {at::tensor(boxes, at::kFloat).view({-1, 4}), at::tensor(labels, at::kLong)};
}

Batch small_batch() {
  at::manual_seed(8);
  return {{at::rand({3, 60, 90}), at::rand({3, 64, 64})},
          {target({10, 10, 40, 30, 50, 5, 88, 58}, {1, 3}), target({20, 20, 52, 52}, {2})}};
}

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

std::vector<double> values(const Losses& losses) {
  return {losses.objectness.item<double>(), losses.rpn_box.item<double>(),
          losses.classification.item<double>(), losses.box.item<double>()};
}

class Network : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("smearscope-network-" + std::to_string(::getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string path() const { return (folder_ / "model.safetensors").string(); }

  fs::path folder_;
};

TEST_F(Network, TensorsAreThoseOfTheModelFile) {
  for (const char* backbone : {"resnet18", "resnet34", "resnet50"}) {
    ModelInfo info = small_info();
    info.architecture.backbone = backbone;
    const FasterRcnn network(info);
    std::map<std::string, std::vector<std::int64_t>> tensors, expected;
    for (const auto& item : network->named_parameters()) tensors[item.key()] = item.value().sizes().vec();
    for (const auto& item : network->named_buffers()) tensors[item.key()] = item.value().sizes().vec();
    for (const auto& spec : expected_tensors(info.architecture, info.classes.size()))
      expected[spec.name] = spec.shape;
    EXPECT_EQ(tensors, expected) << backbone;
  }
}

// Standard deviations from the formulas of torch.nn.init for torchvision's choices.
TEST_F(Network, InitialWeightsAreTorchvisions) {
  FasterRcnn network = small_network();
  const auto parameters = network->named_parameters();
  const auto deviation = [&](const char* name) { return parameters[name].std().item<double>(); };
  EXPECT_NEAR(deviation("backbone.body.layer3.0.conv1.weight"), std::sqrt(2.0 / (256 * 9)), 2e-4);  // fan_out
  EXPECT_NEAR(deviation("backbone.fpn.layer_blocks.0.0.weight"), 1 / std::sqrt(16.0 * 9), 5e-3);    // a = 1
  EXPECT_NEAR(deviation("rpn.head.conv.0.0.weight"), 0.01, 1e-3);
  EXPECT_NEAR(deviation("roi_heads.box_head.fc6.weight"), 1 / std::sqrt(3 * 784.0), 1e-3);
  EXPECT_EQ(parameters["backbone.body.bn1.weight"].min().item<double>(), 1);
  EXPECT_EQ(parameters["rpn.head.cls_logits.bias"].abs().max().item<double>(), 0);
}

TEST_F(Network, SameSeedSameLossesOtherSeedOtherSamples) {
  TrainingSettings settings;
  settings.rpn_samples = settings.roi_samples = 32;
  FasterRcnn network = small_network(settings);
  network->eval();
  const Batch batch = small_batch();
  const auto first = values(network->losses(batch.images, batch.targets, {5, {}}));
  EXPECT_EQ(values(network->losses(batch.images, batch.targets, {5, {}})), first);
  EXPECT_NE(values(network->losses(batch.images, batch.targets, {6, {}})), first);
}

TEST_F(Network, EveryParameterGetsAGradient) {
  FasterRcnn network = small_network();
  const Batch batch = small_batch();
  network->losses(batch.images, batch.targets).total().backward();
  for (const auto& item : network->named_parameters()) {
    ASSERT_TRUE(item.value().grad().defined()) << item.key();
    EXPECT_TRUE(item.value().grad().isfinite().all().item<bool>()) << item.key();
  }
}

TEST_F(Network, ImagesWithoutObjectsTrainTheBackgroundAlone) {
  FasterRcnn network = small_network();
  Batch batch = small_batch();
  batch.targets = {target({}, {}), target({}, {})};
  const auto losses = values(network->losses(batch.images, batch.targets));
  EXPECT_GT(losses[0], 0);
  EXPECT_EQ(losses[1], 0);
  EXPECT_GT(losses[2], 0);
  EXPECT_EQ(losses[3], 0);
}

TEST_F(Network, TrainingOnOneBatchLowersItsLoss) {
  FasterRcnn network = small_network();
  const Batch batch = small_batch();
  const double before = network->losses(batch.images, batch.targets).total().item<double>();
  for (int step = 0; step < 12; ++step) {
    network->zero_grad();
    network->losses(batch.images, batch.targets).total().backward();
    const at::NoGradGuard no_gradient;
    for (at::Tensor& parameter : network->parameters()) parameter -= 0.02 * parameter.grad();
  }
  EXPECT_LT(network->losses(batch.images, batch.targets).total().item<double>(), 0.6 * before);
}

TEST_F(Network, FrozenStagesAndBatchNormTakeNoGradientAndKeepTheirStatistics) {
  TrainingSettings settings;
  settings.frozen_stages = 2;
  settings.frozen_batch_norm = true;
  FasterRcnn network = small_network(settings);
  const Batch batch = small_batch();
  const at::Tensor mean = network->named_buffers()["backbone.body.layer4.0.bn1.running_mean"].clone();
  network->losses(batch.images, batch.targets).total().backward();
  const auto has_gradient = [&](const char* name) {
    return network->named_parameters()[name].grad().defined();
  };
  EXPECT_FALSE(has_gradient("backbone.body.conv1.weight"));
  EXPECT_FALSE(has_gradient("backbone.body.layer1.1.conv2.weight"));
  EXPECT_TRUE(has_gradient("backbone.body.layer2.0.conv1.weight"));
  EXPECT_FALSE(has_gradient("backbone.body.layer4.0.bn1.weight"));
  EXPECT_TRUE(network->named_buffers()["backbone.body.layer4.0.bn1.running_mean"].equal(mean));
}

TEST_F(Network, MinSideOfACallReplacesTheModels) {
  FasterRcnn network = small_network();
  network->eval();
  const Batch batch = small_batch();
  EXPECT_EQ(values(network->losses(batch.images, batch.targets, {1, 64})),
            values(network->losses(batch.images, batch.targets, {1, {}})));
  EXPECT_NE(values(network->losses(batch.images, batch.targets, {1, 96})),
            values(network->losses(batch.images, batch.targets, {1, {}})));
}

TEST_F(Network, DetectionsAreInsideTheImageBestFirst) {
  FasterRcnn network = small_network();
  network->eval();
  const Batch batch = small_batch();
  const auto found = network->detect(batch.images);
  ASSERT_EQ(found.size(), 2U);
  ASSERT_GT(found[0].boxes.size(0), 1);
  ASSERT_LE(found[0].boxes.size(0), 100);
  EXPECT_TRUE((found[0].scores.slice(0, 1) <= found[0].scores.slice(0, 0, -1)).all().item<bool>());
  EXPECT_GE(found[0].boxes.min().item<float>(), 0);
  EXPECT_LE(found[0].boxes.select(1, 2).max().item<float>(), 90.001F);
  EXPECT_LE(found[0].boxes.select(1, 3).max().item<float>(), 60.001F);
  EXPECT_GE(found[0].labels.min().item<std::int64_t>(), 1);
  EXPECT_LE(found[0].labels.max().item<std::int64_t>(), 3);
}

TEST_F(Network, DetectInTrainingModeIsRefused) {
  FasterRcnn network = small_network();
  EXPECT_THAT(error_of([&] { network->detect(small_batch().images); }), HasSubstr("eval()"));
}

TEST_F(Network, BadTargetsAreNamed) {
  FasterRcnn network = small_network();
  const Batch batch = small_batch();
  const auto error = [&](const Target& second) {
    return error_of([&] { network->losses(batch.images, {batch.targets[0], second}); });
  };
  EXPECT_THAT(error(target({1, 1, 9, 9, 5, 5, 5, 9}, {1, 1})),
              AllOf(HasSubstr("target 1, box 1 [5, 5, 5, 9]"), HasSubstr("no area")));
  EXPECT_THAT(error(target({9, 1, 1, 9}, {1})), HasSubstr("no area"));
  EXPECT_THAT(error(target({1, 1, NAN, 9}, {1})), HasSubstr("not a finite number"));
  EXPECT_THAT(error(target({1, 1, INFINITY, 9}, {1})), HasSubstr("not a finite number"));
  EXPECT_THAT(error(target({1, 1, 9, 9}, {0})), HasSubstr("label 0 is not in 1..3"));
  EXPECT_THAT(error(target({1, 1, 9, 9}, {4})), HasSubstr("label 4 is not in 1..3"));
  EXPECT_THAT(error(target({1, 1, 9, 9}, {1, 2})), HasSubstr("target 1: boxes must be"));
  EXPECT_THAT(error_of([&] { network->losses(batch.images, {batch.targets[0]}); }),
              HasSubstr("2 images but 1 targets"));
}

TEST_F(Network, BadImagesAreNamed) {
  FasterRcnn network = small_network();
  network->eval();
  for (const at::Tensor& image : {at::rand({1, 8, 8}), at::rand({3, 0, 8}), at::rand({8, 8}),
                                  at::zeros({3, 8, 8}, at::kInt), at::Tensor()}) {
    EXPECT_THAT(error_of([&] {
                  network->detect({at::rand({3, 9, 9}), image});
                }),
                HasSubstr("image 1: must be"));
  }
  EXPECT_THAT(error_of([&] { network->detect({}); }), HasSubstr("no images"));
}

TEST_F(Network, OnePixelImagesAndExtremeShapesWork) {
  FasterRcnn network = small_network();
  network->eval();
  for (const at::Tensor& image : {at::rand({3, 1, 1}), at::rand({3, 1, 3000}), at::rand({3, 500, 2})}) {
    EXPECT_EQ(network->detect({image}).size(), 1U);
  }
}

// The loop stops on a loss that is not finite; until then nothing may break.
TEST_F(Network, DivergedWeightsGiveLossesThatAreNotFinite) {
  FasterRcnn network = small_network();
  network->eval();
  const Batch batch = small_batch();
  {
    const at::NoGradGuard no_gradient;
    network->named_parameters()["backbone.body.conv1.weight"].fill_(NAN);
  }
  EXPECT_FALSE(network->losses(batch.images, batch.targets).total().isfinite().item<bool>());
  EXPECT_EQ(network->detect(batch.images)[0].boxes.size(0), 0);
}

TEST_F(Network, BadSettingsAreRefused) {
  const auto error = [](const std::function<void(ModelInfo&, TrainingSettings&)>& change) {
    ModelInfo info = small_info();
    TrainingSettings settings;
    change(info, settings);
    return error_of([&] { FasterRcnn network(info, settings); });
  };
  EXPECT_THAT(error([](auto& info, auto&) { info.architecture.backbone = "vgg16"; }), HasSubstr("vgg16"));
  EXPECT_THAT(error([](auto& info, auto&) { info.classes.clear(); }), HasSubstr("no classes"));
  EXPECT_THAT(error([](auto& info, auto&) {
                info.architecture.anchor_sizes[2] = {1, 2};
              }),
              HasSubstr("anchor sizes"));
  EXPECT_THAT(error([](auto&, auto& settings) { settings.roi_samples = 0; }), HasSubstr("sample counts"));
  EXPECT_THAT(error([](auto&, auto& settings) { settings.frozen_stages = 6; }), HasSubstr("frozen_stages"));
}

TEST_F(Network, SavedWeightsComeBack) {
  FasterRcnn network = small_network();
  const Batch batch = small_batch();
  network->losses(batch.images, batch.targets);  // moves the batch norm statistics away from 0 and 1
  save_model(network, small_info(), path(), DType::f32);
  at::manual_seed(99);
  FasterRcnn other(small_info());
  load_weights(other, *Model::load(path()));
  for (const auto& item : network->named_parameters()) {
    EXPECT_TRUE(item.value().equal(other->named_parameters()[item.key()])) << item.key();
  }
  for (const auto& item : network->named_buffers()) {
    EXPECT_TRUE(item.value().equal(other->named_buffers()[item.key()])) << item.key();
  }
}

TEST_F(Network, HalfPrecisionKeepsBatchNormAndBiasesWhole) {
  save_model(small_network(), small_info(), path(), DType::f16);
  const auto model = Model::load(path());
  EXPECT_EQ(model->find("backbone.body.conv1.weight")->dtype, DType::f16);
  EXPECT_EQ(model->find("backbone.body.bn1.running_var")->dtype, DType::f32);
  EXPECT_EQ(model->find("rpn.head.cls_logits.bias")->dtype, DType::f32);
}

TEST_F(Network, ANonFiniteWeightIsNotSaved) {
  FasterRcnn network = small_network();
  const at::NoGradGuard no_gradient;
  network->named_parameters()["rpn.head.cls_logits.weight"].fill_(1e30);
  EXPECT_THAT(error_of([&] { save_model(network, small_info(), path(), DType::f16); }),
              AllOf(HasSubstr("rpn.head.cls_logits.weight"), HasSubstr("not finite")));
  EXPECT_TRUE(fs::is_empty(folder_));
  EXPECT_THAT(error_of([&] { save_model(network, small_info(), path(), DType::i8); }), HasSubstr("int8"));
}

TEST_F(Network, WeightsOfAnotherArchitectureAreRefusedWhole) {
  save_model(small_network(), small_info(), path(), DType::f32);
  ModelInfo wider = small_info();
  wider.architecture.fpn_channels = 32;
  FasterRcnn network(wider);
  const at::Tensor before = network->named_parameters()["backbone.body.conv1.weight"].clone();
  EXPECT_THAT(error_of([&] { load_weights(network, *Model::load(path())); }),
              AllOf(HasSubstr(path()), HasSubstr("backbone.fpn."), HasSubstr("expected")));
  EXPECT_TRUE(before.equal(network->named_parameters()["backbone.body.conv1.weight"]));
}

TEST(ImageBatch, ResizesToTheShorterSideWithinTheLongerAndPadsTo32) {
  Transform transform;
  transform.max_side = 100;
  const auto batch = make_batch({at::rand({3, 50, 60}), at::rand({3, 20, 100})}, transform, 64, at::kFloat);
  EXPECT_EQ(batch.resized[0].height, 64);
  EXPECT_EQ(batch.resized[0].width, 76);  // floor(60 * 1.28)
  EXPECT_EQ(batch.resized[1].height, 20);
  EXPECT_EQ(batch.resized[1].width, 100);  // limited by max_side
  EXPECT_EQ(batch.images.sizes(), (at::IntArrayRef{2, 3, 64, 128}));
  EXPECT_EQ(batch.images[1].slice(1, 20).abs().max().item<float>(), 0);
  EXPECT_EQ(batch.images[0].slice(2, 76).abs().max().item<float>(), 0);
}

TEST(ImageBatch, BytesAreTheSameImageWhateverTheirStrides) {
  const at::Tensor bytes = at::randint(256, {40, 50, 3}, at::kByte).permute({2, 0, 1});
  const auto from_bytes = make_batch({bytes}, Transform(), 32, at::kFloat);
  const auto from_floats =
      make_batch({bytes.to(at::kFloat).div(255).contiguous()}, Transform(), 32, at::kFloat);
  EXPECT_TRUE(from_bytes.images.allclose(from_floats.images, 1e-5, 1e-5));
}

TEST(ImageBatch, NormalisesAndAdjusts) {
  Transform transform;
  transform.mean = {0.5, 0.5, 0.5};
  transform.std = {0.25, 0.25, 0.5};
  transform.adjustment.contrast = 2;
  transform.adjustment.brightness = 0.125;
  const auto batch = make_batch({at::full({3, 32, 32}, 0.375)}, transform, 32, at::kFloat);
  EXPECT_FLOAT_EQ(batch.images[0][0][3][3].item<float>(), -0.5F);  // (0.375 -> 0.25 + 0.125 - 0.5) / 0.25
  EXPECT_FLOAT_EQ(batch.images[0][2][3][3].item<float>(), -0.25F);
}

// An unsharp mask leaves flat areas alone, the image's edge included, and over- and undershoots at a step.
TEST(ImageBatch, UnsharpMaskSharpensStepsOnly) {
  Transform transform;
  transform.mean = {0, 0, 0};
  transform.std = {1, 1, 1};
  transform.adjustment.unsharp_amount = 0.5;
  transform.adjustment.unsharp_sigma = 1.5;
  at::Tensor image = at::full({3, 32, 32}, 0.4);
  image.slice(2, 16).fill_(0.6);
  const at::Tensor row = make_batch({image}, transform, 32, at::kFloat).images[0][0][0];
  EXPECT_NEAR(row[0].item<double>(), 0.4, 1e-6);
  EXPECT_NEAR(row[31].item<double>(), 0.6, 1e-6);
  EXPECT_LT(row[15].item<double>(), 0.38);
  EXPECT_GT(row[16].item<double>(), 0.62);
}

}  // namespace
}  // namespace smearscope::training
