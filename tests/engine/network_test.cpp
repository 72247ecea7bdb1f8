// The plan, and the plan on oneDNN against plain loops.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "network/onednn_network.h"
#include "random_numbers.h"
#include "temporary_folder.h"
#include "tiny_model.h"

namespace smearscope::network {
namespace {

using testing::Random;

// [channels][height][width].
struct Value {
  int channels = 0;
  ops::Size size;
  std::vector<float> data;
  Value() = default;
  Value(int channels, ops::Size size)
      : channels(channels), size(size), data(static_cast<std::size_t>(channels) * size.width * size.height) {}
  float& at(int c, int y, int x) {
    return data[(static_cast<std::size_t>(c) * size.height + y) * size.width + x];
  }
  float get(int c, int y, int x, float outside) const {
    if (y < 0 || x < 0 || y >= size.height || x >= size.width) return outside;
    return data[(static_cast<std::size_t>(c) * size.height + y) * size.width + x];
  }
};

void convolve(const Convolution& convolution, const Value& in, bool accumulate, Value& out) {
  const int kernel = convolution.kernel, padding = (kernel - 1) / 2;
  for (int o = 0; o < out.channels; ++o)
    for (int y = 0; y < out.size.height; ++y)
      for (int x = 0; x < out.size.width; ++x) {
        double sum = double{convolution.bias[o]} + (accumulate ? out.at(o, y, x) : 0.0F);
        const float* weight =
            &convolution.weights[static_cast<std::size_t>(o) * in.channels * kernel * kernel];
        for (int i = 0; i < in.channels; ++i)
          for (int k = 0; k < kernel * kernel; ++k)
            sum += double{*weight++} * in.get(i, y * convolution.stride + k / kernel - padding,
                                              x * convolution.stride + k % kernel - padding, 0);
        out.at(o, y, x) = static_cast<float>(convolution.relu ? std::max(sum, 0.0) : sum);
      }
}

void run_step(const Plan& plan, const Step& step, std::vector<Value>& values, ops::Size out_size) {
  const Value& in = values[step.input];
  Value out = step.accumulate ? values[step.output] : Value(plan.channels[step.output], out_size);
  if (step.kind == Step::Kind::convolve) {
    convolve(plan.convolutions[step.convolution], in, step.accumulate, out);
  } else {
    for (int c = 0; c < out.channels; ++c)
      for (int y = 0; y < out.size.height; ++y)
        for (int x = 0; x < out.size.width; ++x) {
          float& value = out.at(c, y, x);
          if (step.kind == Step::Kind::upsample) value = in.get(c, y / 2, x / 2, 0);
          if (step.kind == Step::Kind::subsample) value = in.get(c, 2 * y, 2 * x, 0);
          if (step.kind == Step::Kind::max_pool) {
            const float lowest = -std::numeric_limits<float>::infinity();
            value = lowest;
            for (int k = 0; k < 9; ++k)
              value = std::max(value, in.get(c, 2 * y + k / 3 - 1, 2 * x + k % 3 - 1, lowest));
          }
        }
  }
  values[step.output] = std::move(out);
}

std::vector<Value> reference(const Plan& plan, const Value& input) {
  const std::vector<ops::Size> sizes = value_sizes(plan, input.size);
  std::vector<Value> values(plan.channels.size());
  values[plan.input] = input;
  for (const Step& step : plan.steps) run_step(plan, step, values, sizes[step.output]);
  return values;
}

void write_input(const Value& image, const ops::InputView& view) {
  for (int c = 0; c < 3; ++c)
    for (int y = 0; y < image.size.height; ++y)
      for (int x = 0; x < image.size.width; ++x)
        view.data[c * view.channel_stride + y * view.row_stride + x * view.pixel_stride] =
            image.get(c, y, x, 0);
}

void expect_channels_last(const float* found, const Value& expected, const std::string& what) {
  double largest = 0;
  for (const float value : expected.data) largest = std::max(largest, std::abs(double{value}));
  ASSERT_GT(largest, 0.01) << what << " is empty, so it shows nothing";
  for (int y = 0; y < expected.size.height; ++y)
    for (int x = 0; x < expected.size.width; ++x)
      for (int c = 0; c < expected.channels; ++c)
        ASSERT_NEAR(*found++, expected.get(c, y, x, 0), 1e-4 * largest)
            << what << " c " << c << " y " << y << " x " << x;
}

std::shared_ptr<const Model> random_model(const ModelInfo& info) {
  const testing::TemporaryFolder folder;
  testing::write_random_model(folder.file("m.safetensors"), info, 1);
  return Model::load(folder.file("m.safetensors"));
}

void expect_plain_loops(const std::string& backbone, int fpn_channels, ops::Size size) {
  SCOPED_TRACE(backbone + " FPN " + std::to_string(fpn_channels));
  ModelInfo info = testing::tiny_model_info(backbone);
  info.architecture.fpn_channels = fpn_channels;
  const Plan plan = make_plan(*random_model(info));
  OneDnnNetwork network(plan);
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
  OneDnnNetwork network(plan);
  Random random(8);
  for (const int rows : {5, 1, 64, 3}) {
    const std::vector<float> rois =
        random.reals(static_cast<std::size_t>(rows) * plan.fc6.in_features, -1, 1);
    const float* found = network.box_head(rois.data(), rows);
    for (int row = 0; row < rows; ++row) {
      std::vector<double> values(rois.begin() + static_cast<std::ptrdiff_t>(row) * plan.fc6.in_features,
                                 rois.begin() + static_cast<std::ptrdiff_t>(row + 1) * plan.fc6.in_features);
      for (const Linear* linear : {&plan.fc6, &plan.fc7, &plan.predictor}) {
        std::vector<double> outputs;
        for (int out = 0; out < linear->out_features; ++out) {
          double sum = linear->bias[out];
          for (int in = 0; in < linear->in_features; ++in)
            sum += values[in] * linear->weights[static_cast<std::size_t>(out) * linear->in_features + in];
          outputs.push_back(linear->relu ? std::max(sum, 0.0) : sum);
        }
        values = outputs;
      }
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
