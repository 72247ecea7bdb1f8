// The network on each device that it can run on: one body for all. What is missing here is skipped, and says
// why.
#include "network/device.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "loop/weight_update.h"
#include "on_device.h"

namespace smearscope::training {
namespace {

using ::testing::HasSubstr;

ModelInfo small_info() {
  ModelInfo info;
  info.name = "test";
  info.architecture.backbone = "resnet18";
  info.architecture.fpn_channels = 20;
  info.architecture.head_width = 32;
  info.classes = {"wbc", "rbc", "platelet"};
  info.transform.min_side = 96;
  info.transform.max_side = 160;
  info.thresholds.score = 0;
  return info;
}

// All candidates are samples, and nearly all boxes proposals, so that rounding changes neither.
TrainingSettings all_samples() {
  TrainingSettings settings;
  settings.rpn_samples = settings.roi_samples = 100'000;
  settings.rpn_positive_fraction = settings.roi_positive_fraction = 1;
  settings.frozen_batch_norm = true;
  return settings;
}

struct Batch {
  std::vector<at::Tensor> images;
  std::vector<Target> targets;
};

Batch small_batch() {
  at::manual_seed(8);
  const auto target = [](const std::vector<float>& boxes, const std::vector<std::int64_t>& labels) {
    return Target{at::tensor(boxes, at::kFloat).view({-1, 4}), at::tensor(labels, at::kLong)};
  };
  const auto bytes = [](int height, int width) {
    return at::randint(256, {height, width, 3}, at::kByte).permute({2, 0, 1});  // as pictures lie in memory
  };
  return {{bytes(60, 90), bytes(64, 64)},
          {target({10, 10, 40, 30, 50, 5, 88, 58}, {1, 3}), target({20, 20, 52, 52}, {2})}};
}

FasterRcnn network_on(c10::Device device, const TrainingSettings& settings,
                      const ModelInfo& info = small_info()) {
  at::manual_seed(7);
  FasterRcnn network(info, settings);
  move_to(network, device);
  return network;
}

std::vector<double> values(const Losses& losses) {
  return {losses.objectness.item<double>(), losses.rpn_box.item<double>(),
          losses.classification.item<double>(), losses.box.item<double>()};
}

double relative_difference(const at::Tensor& found, const at::Tensor& expected) {
  const at::Tensor f = found.to(at::kCPU, at::kDouble), e = expected.to(at::kCPU, at::kDouble);
  return ((f - e).norm() / e.norm().clamp_min(1e-12)).item<double>();
}

using OnDevice = testing::OnDevice;

INSTANTIATE_TEST_SUITE_P(Devices, OnDevice, ::testing::Values("cpu", "cuda"), testing::device_of_test);

TEST_P(OnDevice, LossesAndGradientsAreThoseOfDoublePrecisionOnTheCpu) {
  const Batch batch = small_batch();
  FasterRcnn expected = network_on(at::kCPU, all_samples()), found = network_on(device(), all_samples());
  expected->to(at::kDouble);
  const Losses expected_losses = expected->losses(batch.images, batch.targets);
  const Losses found_losses = found->losses(batch.images, batch.targets);
  EXPECT_EQ(found_losses.total().device().type(), device().type());
  for (std::size_t i = 0; i < 4; ++i) {
    const double e = values(expected_losses)[i];
    EXPECT_NEAR(values(found_losses)[i], e, 1e-3 * std::abs(e)) << "loss " << i;
  }
  expected_losses.total().backward();
  found_losses.total().backward();
  const auto expected_weights = expected->named_parameters();
  for (const auto& item : found->named_parameters()) {
    const at::Tensor& gradient = expected_weights[item.key()].grad();
    ASSERT_EQ(item.value().grad().defined(), gradient.defined()) << item.key();
    if (!gradient.defined()) continue;
    EXPECT_LT(relative_difference(item.value().grad(), gradient), 5e-3) << item.key();
  }
}

TEST_P(OnDevice, TheSeedDecidesWhatIsSampled) {
  const Batch batch = small_batch();
  TrainingSettings settings = all_samples();
  settings.rpn_samples = settings.roi_samples = 16;
  FasterRcnn network = network_on(device(), settings);
  const auto with_seed = [&](std::uint64_t seed) {
    LossOptions options;
    options.sampling_seed = seed;
    return values(network->losses(batch.images, batch.targets, options));
  };
  const std::vector<double> once = with_seed(1), again = with_seed(1), other = with_seed(2);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(once[i], again[i], 1e-5 * std::abs(once[i]));
  double difference = 0;
  for (std::size_t i = 0; i < 4; ++i)
    difference = std::max(difference, std::abs(once[i] - other[i]) / std::abs(once[i]));
  EXPECT_GT(difference, 1e-3);
}

TEST_P(OnDevice, DetectsWhatDoublePrecisionOnTheCpuDetects) {
  const Batch batch = small_batch();
  FasterRcnn expected = network_on(at::kCPU, {}), found = network_on(device(), {});
  expected->to(at::kDouble);
  expected->eval();
  found->eval();
  const auto expected_found = expected->detect(batch.images), device_found = found->detect(batch.images);
  for (std::size_t i = 0; i < batch.images.size(); ++i) {
    const at::Tensor& scores = device_found[i].scores;
    ASSERT_EQ(scores.sizes(), expected_found[i].scores.sizes());
    ASSERT_TRUE(scores.device().is_cpu());
    EXPECT_LT((scores - expected_found[i].scores).abs().max().item<double>(), 1e-3);
  }
}

TEST_P(OnDevice, AutocastTrainsWithLossesNearTheExactOnes) {
  const Batch batch = small_batch();
  const auto exact = values(network_on(device(), all_samples())->losses(batch.images, batch.targets));
  for (const MixedPrecision precision : {MixedPrecision::bf16, MixedPrecision::f16}) {
    if (precision == MixedPrecision::f16 && device().is_cpu()) continue;  // an error, see below
    TrainingSettings mixed = all_samples();
    mixed.autocast = precision;
    FasterRcnn network = network_on(device(), mixed);
    const Losses losses = network->losses(batch.images, batch.targets);
    EXPECT_NE(values(losses)[0], exact[0]);
    EXPECT_NEAR(values(losses)[0], exact[0], 0.05 * exact[0]);
    EXPECT_NEAR(values(losses)[2], exact[2], 0.05 * exact[2]);
    losses.total().backward();
    for (const auto& item : network->named_parameters()) {
      if (!item.value().grad().defined()) continue;
      EXPECT_EQ(item.value().grad().scalar_type(), at::kFloat) << item.key();
      EXPECT_TRUE(item.value().grad().isfinite().all().item<bool>()) << item.key();
    }
  }
}

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

// Twelve steps take the scale from 65536 to 16 at worst, and no gradient here is near f16's limit then.
TEST_P(OnDevice, TrainingInF16FindsAScaleAndMovesTheWeights) {
  const Batch batch = small_batch();
  TrainingSettings settings = all_samples();
  settings.autocast = MixedPrecision::f16;
  FasterRcnn network = network_on(device(), settings);
  if (device().is_cpu()) {
    EXPECT_THAT(error_of([&] { network->losses(batch.images, batch.targets); }),
                HasSubstr("needs a CUDA device"));
    return;
  }
  Optimisation options;
  options.autocast = settings.autocast;
  WeightUpdate update(network, options);
  const at::Tensor weight = network->named_parameters()["rpn.head.cls_logits.weight"];
  const at::Tensor before = weight.detach().clone();
  double first = 0, last = 0;
  for (std::size_t step = 0; step < 12; ++step) {
    const Losses losses = network->losses(batch.images, batch.targets);
    last = losses.total().item<double>();
    if (step == 0) first = last;
    update.scaled(losses.total()).backward();
    update.step(1e-3, step);
  }
  EXPECT_FALSE(weight.equal(before));
  for (const auto& item : network->named_parameters())
    EXPECT_TRUE(item.value().isfinite().all().item<bool>()) << item.key();
  EXPECT_LT(last, first);
}

TEST(Device, NamesOfNoDeviceAreErrors) {
  EXPECT_TRUE(device_named("cpu").is_cpu());
  for (const char* name : {"", "gpu", "cuda:", "cuda:x", "cuda:-1", "cuda:1000", "cuda0", "CPU"})
    EXPECT_THAT(error_of([&] { device_named(name); }), HasSubstr("is not cpu, cuda or cuda:N")) << name;
}

TEST(Device, OneThatIsNotThereIsAnErrorOfOneLine) {
  const std::string error = error_of([] { device_named("cuda:99"); });
  EXPECT_THAT(error, HasSubstr("--device cuda:99: "));
  EXPECT_EQ(error.find('\n'), std::string::npos);
}

}  // namespace
}  // namespace smearscope::training
