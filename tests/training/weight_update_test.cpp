// A step of training from given gradients: alone, among processes, and with the loss scale of f16.
#include "loop/weight_update.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "on_device.h"
#include "temporary_folder.h"

namespace smearscope::training {
namespace {

using ::testing::HasSubstr;

FasterRcnn small_network(c10::Device device) {
  ModelInfo info;
  info.name = "test";
  info.architecture.backbone = "resnet18";
  info.architecture.fpn_channels = 16;
  info.architecture.head_width = 32;
  info.classes = {"wbc", "rbc"};
  at::manual_seed(7);
  FasterRcnn network(info, TrainingSettings());
  move_to(network, device);
  return network;
}

Optimisation all_parts(MixedPrecision autocast) {
  Optimisation options;
  options.autocast = autocast;
  options.gradient_clip = 10;
  options.ema_decay = 0.9;
  return options;
}

// A network and its update; the gradients of a step are random, by its number.
struct Trained {
  Trained(c10::Device device, MixedPrecision autocast)
      : network(small_network(device)), update(network, all_parts(autocast)) {}

  void backward(int step) {
    at::manual_seed(static_cast<std::uint64_t>(step));
    at::Tensor loss = at::zeros({}, network->parameters()[0].options());
    for (const auto& item : network->named_parameters()) {
      const at::Tensor gradient = at::randn(item.value().sizes()).to(item.value().device());
      loss = loss + (item.value() * gradient).sum();
    }
    update.scaled(loss).backward();
  }
  void spoil(const char* parameter, float value) {
    at::Tensor gradient = network->named_parameters()[parameter].grad();
    gradient.view(-1)[0] = value;
  }
  void step(int number) { update.step(0.01, static_cast<std::size_t>(number)); }

  FasterRcnn network;
  WeightUpdate update;
};

std::map<std::string, std::vector<float>> saved(const Trained& run) {
  std::map<std::string, std::vector<float>> all;
  for (const SavedTensor& tensor : run.update.save()) all[tensor.name] = tensor.values;
  return all;
}

void expect_equal(const Trained& a, const Trained& b) {
  const auto of_a = saved(a), of_b = saved(b);
  ASSERT_EQ(of_a.size(), of_b.size());
  for (const auto& [name, values] : of_a) EXPECT_TRUE(of_b.at(name) == values) << name;
}

class WeightUpdateOn : public testing::OnDevice {};

INSTANTIATE_TEST_SUITE_P(Devices, WeightUpdateOn, ::testing::Values("cpu", "cuda"), testing::device_of_test);

TEST_P(WeightUpdateOn, WithALossScaleFiniteGradientsGiveTheSameBitsAsWithout) {
  Trained scaled(device(), MixedPrecision::f16), plain(device(), MixedPrecision::off);
  for (int step = 0; step < 3; ++step) {
    for (Trained* run : {&scaled, &plain}) {
      run->backward(step);
      run->step(step);
    }
  }
  const auto with = saved(scaled), without = saved(plain);
  for (const auto& [name, values] : without) EXPECT_TRUE(with.at(name) == values) << name;
  EXPECT_EQ(with.at("loss_scale.good_steps"), std::vector<float>{3});
  EXPECT_EQ(without.count("loss_scale.scale"), 0U);
}

TEST_P(WeightUpdateOn, AnOverflowHalvesTheScaleAndLeavesAllElse) {
  Trained run(device(), MixedPrecision::f16);
  run.backward(0);
  run.step(0);
  const auto before = saved(run);
  float scale = 65536;
  for (const float bad : {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    run.backward(1);
    run.spoil("rpn.head.cls_logits.bias", bad);
    run.step(1);
    scale /= 2;
    auto after = saved(run);
    EXPECT_EQ(after.at("loss_scale.scale"), std::vector<float>{scale});
    EXPECT_EQ(after.at("loss_scale.good_steps"), std::vector<float>{0});
    for (const auto& [name, values] : before) {
      if (name.rfind("loss_scale.", 0) == 0) continue;
      EXPECT_TRUE(after.at(name) == values) << name;
    }
  }
  run.backward(2);
  run.step(2);
  const auto after = saved(run);
  for (const auto& [name, values] : before) {
    if (name.rfind("momentum.", 0) != 0) continue;
    EXPECT_FALSE(after.at(name) == values) << name;
  }
}

TEST_P(WeightUpdateOn, ARunGoesOnFromItsCheckpointWithItsScale) {
  const testing::TemporaryFolder folder;
  const std::string file = folder.file("checkpoint.safetensors");
  Trained run(device(), MixedPrecision::f16), resumed(device(), MixedPrecision::f16);
  run.backward(0);
  run.spoil("rpn.head.cls_logits.bias", std::numeric_limits<float>::infinity());
  run.step(0);
  run.backward(1);
  run.step(1);
  Checkpoint checkpoint;
  checkpoint.tensors = run.update.save();
  write_checkpoint(file, checkpoint);
  resumed.update.load(read_checkpoint(file).tensors);
  expect_equal(run, resumed);
  EXPECT_EQ(saved(resumed).at("loss_scale.scale"), std::vector<float>{32768});
  EXPECT_EQ(saved(resumed).at("loss_scale.good_steps"), std::vector<float>{1});
  for (Trained* r : {&run, &resumed}) {
    r->backward(2);
    r->step(2);
  }
  expect_equal(run, resumed);
}

TEST_P(WeightUpdateOn, ACheckpointWithoutItsScaleIsAnError) {
  Trained plain(device(), MixedPrecision::bf16), scaled(device(), MixedPrecision::f16);
  try {
    scaled.update.load(plain.update.save());
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("\"loss_scale."));
  }
}

// Three processes with the same gradients.
class Threefold : public Processes {
 public:
  int rank() const override { return 0; }
  int count() const override { return 3; }
  void sum(at::Tensor& values) override {
    values.mul_(4);  // and one more, so that no digit is lost
    ++messages;
  }
  void take_largest(at::Tensor&) override {}
  int messages = 0;
};

TEST_P(WeightUpdateOn, GradientsOfAllProcessesAreOneMessageAStep) {
  Trained shared(device(), MixedPrecision::off), alone(device(), MixedPrecision::off);
  Threefold processes;
  for (int step = 0; step < 3; ++step) {
    shared.backward(step);
    shared.update.sum_gradients(processes);
    EXPECT_EQ(processes.messages, step + 1);
    shared.step(step);
    alone.backward(step);
    for (const at::Tensor& weight : alone.network->parameters()) {
      if (weight.grad().defined()) weight.mutable_grad().mul_(4);
    }
    alone.step(step);
  }
  expect_equal(shared, alone);
}

}  // namespace
}  // namespace smearscope::training
