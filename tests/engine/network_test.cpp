// The plan, and the plan on oneDNN against plain loops.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "network/onednn_network.h"
#include "plain_network.h"
#include "random_numbers.h"

namespace smearscope::network {
namespace {

using testing::Random;

void expect_plain_loops(const std::string& backbone, int fpn_channels, ops::Size size) {
  SCOPED_TRACE(backbone + " FPN " + std::to_string(fpn_channels));
  ModelInfo info = testing::tiny_model_info(backbone);
  info.architecture.fpn_channels = fpn_channels;
  const Plan plan = make_plan(*random_model(info));
  OneDnnNetwork network(plan, Precision::f32);
  Random random(7);
  Value image(3, size), poison(3, {96, 96});
  image.data = random.reals(image.data.size(), -2, 2);
  std::fill(poison.data.begin(), poison.data.end(), std::numeric_limits<float>::quiet_NaN());
  // Another size first: the arena then holds its values, on which nothing may depend.
  for (const Value& input : {poison, image}) {
    const CompiledShape& shape = network.compiled(input.size);
    write_input(input, shape.input());
    for (const Stage stage : {Stage::backbone, Stage::fpn, Stage::rpn}) network.run(shape, stage);
  }
  const CompiledShape& shape = network.compiled(size);
  const std::vector<Value> expected = reference(plan, image);
  for (int level = 0; level < ops::roi_levels; ++level)
    expect_channels_last(shape.feature(level).data, expected[plan.pyramid[level]],
                         "P" + std::to_string(level + 2));
  for (int level = 0; level < ops::pyramid_levels; ++level)
    expect_channels_last(shape.rpn_level(level).outputs, expected[plan.rpn[level]],
                         "RPN " + std::to_string(level));
}

TEST(Network, EqualsPlainLoopsForEveryBackbone) {
  expect_plain_loops("resnet18", 16, {64, 32});
  expect_plain_loops("resnet34", 16, {32, 32});
  expect_plain_loops("resnet50", 16, {32, 64});
}

TEST(Network, EqualsPlainLoopsForOddWidths) {
  expect_plain_loops("resnet18", 13, {96, 64});
  expect_plain_loops("resnet18", 1, {32, 32});
  expect_plain_loops("resnet18", 100, {32, 32});
}

TEST(Network, BoxHeadEqualsPlainLoopsForAnyNumberOfRois) {
  ModelInfo info = testing::tiny_model_info();
  info.architecture.head_width = 37;
  const Plan plan = make_plan(*random_model(info));
  OneDnnNetwork network(plan, Precision::f32);
  Random random(8);
  for (const int rows : {5, 1, 64, 3}) {
    const std::vector<float> rois =
        random.reals(static_cast<std::size_t>(rows) * plan.fc6.in_features, -1, 1);
    const float* found = network.box_head(rois.data(), rows);
    for (int row = 0; row < rows; ++row) {
      std::vector<double> values(rois.begin() + static_cast<std::ptrdiff_t>(row) * plan.fc6.in_features,
                                 rois.begin() + static_cast<std::ptrdiff_t>(row + 1) * plan.fc6.in_features);
      for (const Linear* linear : {&plan.fc6, &plan.fc7, &plan.predictor})
        values = plain_linear(*linear, values);
      for (const double value : values) ASSERT_NEAR(*found++, value, 1e-4) << "row " << row << " of " << rows;
    }
  }
}

TEST(Plan, FoldsBatchNormIntoWeightsAndBias) {
  const auto model = random_model(testing::tiny_model_info());
  const Plan plan = make_plan(*model);
  const auto values = [&](const std::string& name) { return to_f32(*model->find("backbone.body." + name)); };
  const Convolution& stem = plan.convolutions[0];
  EXPECT_EQ(stem.name, "backbone.body.conv1");
  const std::vector<float> weights = values("conv1.weight");
  for (std::size_t out = 0; out < 64; ++out) {
    const double scale = values("bn1.weight")[out] / std::sqrt(values("bn1.running_var")[out] + 1e-5);
    EXPECT_NEAR(stem.bias[out], values("bn1.bias")[out] - values("bn1.running_mean")[out] * scale, 1e-6);
    for (std::size_t i = out * 147; i < (out + 1) * 147; ++i)
      EXPECT_NEAR(stem.weights[i], weights[i] * scale, 1e-6);
  }
}

TEST(Plan, Fc6TakesChannelsLast) {
  const auto model = random_model(testing::tiny_model_info());
  const Plan plan = make_plan(*model);
  const std::vector<float> stored = to_f32(*model->find("roi_heads.box_head.fc6.weight"));
  for (int channel = 0; channel < 16; ++channel)
    for (int position = 0; position < 49; ++position)
      EXPECT_EQ(plan.fc6.weights[static_cast<std::size_t>(position) * 16 + channel],
                stored[static_cast<std::size_t>(channel) * 49 + position]);
}

TEST(Plan, EveryValueIsWrittenBeforeItIsRead) {
  for (const char* backbone : {"resnet18", "resnet34", "resnet50"}) {
    const Plan plan = make_plan(*random_model(testing::tiny_model_info(backbone)));
    std::vector<bool> written(plan.channels.size());
    written[plan.input] = true;
    Stage stage = Stage::backbone;
    for (const Step& step : plan.steps) {
      EXPECT_GE(step.stage, stage) << "stages run in order";
      stage = step.stage;
      EXPECT_TRUE(written[step.input]);
      EXPECT_EQ(written[step.output], step.accumulate);
      written[step.output] = true;
    }
  }
}

}  // namespace
}  // namespace smearscope::network
