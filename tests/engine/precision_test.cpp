// The network in bf16 and int8: oneDNN against plain loops whose numbers are rounded as they should be.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <map>

#include "expect_error.h"
#include "model/quantisation.h"
#include "model/tensor_values.h"
#include "network/magnitude_histogram.h"
#include "network/onednn_network.h"
#include "plain_network.h"
#include "random_numbers.h"

namespace smearscope::network {
namespace {

using testing::Random;

using type = dnnl::memory::data_type;

// The number of steps that a value is stored as.
float steps(float value, const NumberType& number) {
  const bool is_signed = number.type == type::s8;
  return std::clamp(std::nearbyint(value / number.scale), is_signed ? -128.0F : 0.0F,
                    is_signed ? 127.0F : 255.0F);
}

float from_bf16(std::uint16_t bits) {
  const std::uint32_t wide = std::uint32_t{bits} << 16U;
  float value;
  std::memcpy(&value, &wide, sizeof value);
  return value;
}

// What is stored, channels last.
float read(const void* data, std::size_t index, const NumberType& number) {
  switch (number.type) {
    case type::u8:
      return number.scale * static_cast<float>(static_cast<const std::uint8_t*>(data)[index]);
    case type::s8:
      return number.scale * static_cast<float>(static_cast<const std::int8_t*>(data)[index]);
    default:
      return from_bf16(static_cast<const std::uint16_t*>(data)[index]);
  }
}

// As int8 and back.
void quantise_weights(std::vector<float>& weights, int channels) {
  const Quantised quantised =
      quantise({"weights", DType::f32, {channels}, weights.data(), weights.size() * sizeof(float)});
  const std::size_t each = weights.size() / static_cast<std::size_t>(channels);
  for (std::size_t i = 0; i < weights.size(); ++i)
    weights[i] = static_cast<float>(quantised.values[i]) * quantised.scales[i / each];
}

// Ranges that hold most of the values of one image.
void set_ranges(Plan& plan, const Value& image) {
  plan.input_range = 2;
  std::map<std::string, float> largest;
  reference(plan, image, [&](const Convolution& convolution, Value& value) {
    for (const float x : value.data)
      largest[convolution.name] = std::max(largest[convolution.name], std::abs(x));
  });
  for (Convolution& convolution : plan.convolutions) convolution.range = 0.8F * largest.at(convolution.name);
}

Value random_image(ops::Size size, Random& random) {
  Value image(3, size);
  image.data = random.reals(image.data.size(), -2, 2);
  return image;
}

// A compiled network of one size, with memory of its own.
struct Compiled {
  Compiled(const Plan& made, ops::Size size, Precision precision)
      : plan(made),
        weights(plan.convolutions, precision, engine),
        shape(plan, size, precision, dnnl::memory::format_tag::nhwc, weights, stream) {
    shape.bind(memory.require(shape.bytes()));
  }

  Plan plan;
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  PackedWeights weights;
  CompiledShape shape;
  AlignedBuffer memory;
};

// Each convolution's result as it was stored, in the order in which they ran.
std::vector<Value> run(Compiled& compiled, const Value& image, Precision precision) {
  std::vector<Value> results;
  write_input(image, compiled.shape.input());
  for (const Stage stage : {Stage::backbone, Stage::fpn, Stage::rpn})
    compiled.shape.run(stage, compiled.stream, [&](int index, const dnnl::memory& memory) {
      const Convolution& convolution = compiled.plan.convolutions[index];
      const dnnl::memory::dims dims = memory.get_desc().dims();
      Value result(convolution.out_channels, {static_cast<int>(dims[3]), static_cast<int>(dims[2])});
      std::size_t at = 0;
      for (int y = 0; y < result.size.height; ++y)
        for (int x = 0; x < result.size.width; ++x)
          for (int c = 0; c < result.channels; ++c)
            result.at(c, y, x) = read(memory.get_data_handle(), at++,
                                      number_type(precision, convolution.range, convolution.relu));
      results.push_back(result);
    });
  return results;
}

// Rounding a sum that lies between two numbers may go either way, after which all that follows differs. So
// each convolution is judged on what the ones before it have stored: `near` of (found, expected).
using Near = std::function<bool(const Convolution&, float found, float expected)>;

void expect_each_convolution(const Plan& plan, const Plan& rounded, const Value& image,
                             const Value& rounded_image, Precision precision, const Near& near) {
  Compiled compiled(plan, image.size, precision);
  const std::vector<Value> stored = run(compiled, image, precision);
  std::size_t at = 0;
  const std::vector<Value> expected =
      reference(rounded, rounded_image, [&](const Convolution& convolution, Value& value) {
        if (convolution.name == "rpn.head.cls_logits + bbox_pred") return;  // stays a float
        ASSERT_LT(at, stored.size());
        const Value& found = stored[at++];
        ASSERT_EQ(found.data.size(), value.data.size()) << convolution.name;
        for (std::size_t i = 0; i < found.data.size(); ++i)
          ASSERT_TRUE(near(convolution, found.data[i], value.data[i]))
              << convolution.name << ": " << found.data[i] << " for " << value.data[i];
        value = found;
      });
  EXPECT_EQ(at, stored.size());
  for (int level = 0; level < ops::roi_levels; ++level)
    expect_channels_last(compiled.shape.feature(level).data, expected[plan.pyramid[level]],
                         "P" + std::to_string(level + 2));
  for (int level = 0; level < ops::pyramid_levels; ++level)
    expect_channels_last(compiled.shape.rpn_level(level).outputs, expected[plan.rpn[level]],
                         "RPN " + std::to_string(level));
}

#define SKIP_WITHOUT(precision)          \
  if (!processor_computes_in(precision)) \
  GTEST_SKIP() << "this processor lacks the instructions for " << name_of(precision)

void expect_int8(const std::string& backbone, int fpn_channels, ops::Size size) {
  SCOPED_TRACE(backbone + " FPN " + std::to_string(fpn_channels));
  Random random(3);
  ModelInfo info = testing::tiny_model_info(backbone);
  info.architecture.fpn_channels = fpn_channels;
  Plan plan = make_plan(*random_model(info));
  // Two dead channels: weights of 0, and so small that nothing can be divided by them.
  Convolution& dead = plan.convolutions[1];
  const std::ptrdiff_t each = std::ptrdiff_t{1} * dead.in_channels * dead.kernel * dead.kernel;
  std::fill_n(dead.weights.begin(), each, 0.0F);
  std::fill_n(dead.weights.begin() + each, each, 1e-38F);
  dead.bias[1] = 0.5F;
  const Value image = random_image(size, random);
  set_ranges(plan, image);
  Plan rounded = plan;
  for (Convolution& convolution : rounded.convolutions)
    quantise_weights(convolution.weights, convolution.out_channels);
  Value rounded_image = image;
  const NumberType input = number_type(Precision::int8, plan.input_range, false);
  for (float& value : rounded_image.data) value = input.scale * steps(value, input);
  expect_each_convolution(plan, rounded, image, rounded_image, Precision::int8,
                          [](const Convolution& convolution, float found, float expected) {
                            const NumberType number =
                                number_type(Precision::int8, convolution.range, convolution.relu);
                            const float exact = expected / number.scale, at = steps(found, number);
                            // What is out of range is the last step.
                            return std::abs(at - exact) < 0.501F || (at == steps(expected, number));
                          });
}

TEST(Int8, EachConvolutionEqualsPlainLoopsOverRoundedNumbers) {
  SKIP_WITHOUT(Precision::int8);
  expect_int8("resnet18", 16, {64, 96});
  expect_int8("resnet34", 64, {32, 32});
  expect_int8("resnet50", 13, {64, 32});
}

TEST(Bf16, EachConvolutionEqualsPlainLoopsOverRoundedNumbers) {
  SKIP_WITHOUT(Precision::bf16);
  const auto as_bf16 = [](float value) { return from_bf16(bf16_from_f32(value)); };
  for (const char* backbone : {"resnet18", "resnet50"}) {
    SCOPED_TRACE(backbone);
    Random random(4);
    const Plan plan = make_plan(*random_model(testing::tiny_model_info(backbone)));
    const Value image = random_image({64, 32}, random);
    Plan rounded = plan;
    for (Convolution& convolution : rounded.convolutions)
      for (float& weight : convolution.weights) weight = as_bf16(weight);
    Value rounded_image = image;
    for (float& value : rounded_image.data) value = as_bf16(value);
    // Half of the last of 8 bits, and a little for sums in f32 that cancel.
    expect_each_convolution(plan, rounded, image, rounded_image, Precision::bf16,
                            [](const Convolution&, float found, float expected) {
                              return std::abs(found - expected) <= std::abs(expected) / 256 + 1e-4F;
                            });
  }
}

// Outputs of the box head's linear layers, one after the other, for `rows` of RoIs.
void expect_box_head(Precision precision, const std::function<float(const Linear&, float)>& round_input,
                     const std::function<void(Linear&)>& round_weights, double tolerance) {
  Plan plan = make_plan(*random_model(testing::tiny_model_info()));
  plan.fc6.input_range = 0.9F;  // so that some are out of range
  plan.fc7.input_range = 5;
  for (Linear* linear : {&plan.fc6, &plan.fc7, &plan.predictor}) {
    Random random(5);
    Linear rounded = *linear, given = *linear;
    round_weights(rounded);
    const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
    dnnl::stream stream(engine);
    OneDnnLinear tested(given, precision, engine);
    for (const int rows : {5, 1, 64, 3}) {
      std::vector<float> input = random.reals(static_cast<std::size_t>(rows) * linear->in_features, -1, 1);
      const float* found = tested.run(input.data(), rows, stream);
      for (float& value : input) value = round_input(*linear, value);
      for (int row = 0; row < rows; ++row) {
        const auto begin = input.begin() + static_cast<std::ptrdiff_t>(row) * linear->in_features;
        for (const double value : plain_linear(rounded, {begin, begin + linear->in_features}))
          ASSERT_NEAR(*found++, value, tolerance) << linear->name << ", row " << row << " of " << rows;
      }
    }
  }
}

TEST(Int8, BoxHeadEqualsPlainLoopsOverRoundedNumbers) {
  SKIP_WITHOUT(Precision::int8);
  expect_box_head(
      Precision::int8,
      [](const Linear& linear, float value) {
        if (linear.input_range == 0) return value;
        const float step = linear.input_range / 127;
        return step * std::clamp(std::nearbyint(value / step), -127.0F, 127.0F);
      },
      [](Linear& linear) {
        if (linear.input_range > 0) quantise_weights(linear.weights, linear.out_features);
      },
      1e-4);
}

TEST(Bf16, BoxHeadEqualsPlainLoopsOverRoundedNumbers) {
  SKIP_WITHOUT(Precision::bf16);
  const auto as_bf16 = [](float value) { return from_bf16(bf16_from_f32(value)); };
  expect_box_head(
      Precision::bf16, [&](const Linear&, float value) { return as_bf16(value); },
      [&](Linear& linear) {
        for (float& weight : linear.weights) weight = as_bf16(weight);
      },
      1e-4);
}

TEST(Int8, DeadOutputsAreTheirBias) {
  SKIP_WITHOUT(Precision::int8);
  Linear linear{"dead", 64, 2, false, std::vector<float>(128, 0.0F), {0.25F, -3}, 1};
  std::fill_n(linear.weights.begin(), 64, 1e-38F);
  const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  dnnl::stream stream(engine);
  OneDnnLinear tested(linear, Precision::int8, engine);
  const std::vector<float> input(64, 0.5F);
  const float* found = tested.run(input.data(), 1, stream);
  EXPECT_EQ(found[0], 0.25F);
  EXPECT_EQ(found[1], -3.0F);
}

// As docs/model-format.md says; the other tests take these numbers from the code.
TEST(Int8, NumbersAreStepsOfTheRange) {
  EXPECT_EQ(number_type(Precision::int8, 5.1F, true).type, type::u8);
  EXPECT_FLOAT_EQ(number_type(Precision::int8, 5.1F, true).scale, 0.02F);
  EXPECT_EQ(number_type(Precision::int8, 2.54F, false).type, type::s8);
  EXPECT_FLOAT_EQ(number_type(Precision::int8, 2.54F, false).scale, 0.02F);
  EXPECT_EQ(number_type(Precision::bf16, 5, true).type, type::bf16);
  EXPECT_EQ(number_type(Precision::f32, 5, true).type, type::f32);
  for (const Precision precision : {Precision::bf16, Precision::f32})
    EXPECT_EQ(number_type(precision, 5, false).scale, 1);
}

TEST(Int8, WeightsThatAreNotFiniteAreRefusedByTheLayersName) {
  for (const float bad : {std::numeric_limits<float>::infinity(), std::nanf("")})
    testing::expect_error([&] { quantise_layer("backbone.body.conv1", {1, bad}, 1); }, "backbone.body.conv1");
}

// Mean squared error of storing `values` in `steps` of range / steps, by storing each.
double storing_error(const std::vector<float>& values, double range, int steps) {
  double error = 0;
  for (const float value : values) {
    const double step = range / steps;
    const double shown = std::min(std::nearbyint(std::abs(value) / step), double(steps)) * step;
    error += (std::abs(value) - shown) * (std::abs(value) - shown);
  }
  return error / static_cast<double>(values.size());
}

TEST(MagnitudeHistogram, BestRangeStoresAsWellAsTheBestOfAll) {
  Random random(6);
  for (const auto& [outlier, size] : {std::pair{1.0F, 1.0F}, {6, 1}, {40, 1}, {6, 1e-5F}, {6, 1e5F}}) {
    std::vector<float> values;
    for (int i = 0; i < 20000; ++i) {
      float sum = 0;  // nearly normal
      for (int k = 0; k < 8; ++k) sum += random.real(-1, 1);
      values.push_back(size * (i % 2000 == 0 ? outlier * sum : sum));
    }
    MagnitudeHistogram histogram;
    for (std::size_t at = 0; at < values.size(); at += 500) histogram.add(&values[at], 500);
    double least = std::numeric_limits<double>::infinity();
    for (double range = 0.5 * size; range < 20000 * size; range *= 1.02)
      least = std::min(least, storing_error(values, range, 127));
    EXPECT_LE(storing_error(values, histogram.best_range(127), 127), 1.05 * least)
        << "outliers times " << outlier << ", all times " << size;
  }
}

TEST(MagnitudeHistogram, CountsNoZerosAndNothingThatIsNotFinite) {
  MagnitudeHistogram histogram;
  const float nothing[] = {0, -0.0F, std::numeric_limits<float>::infinity(), std::nanf("")};
  histogram.add(nothing, 4);
  EXPECT_TRUE(histogram.empty());
  EXPECT_EQ(histogram.best_range(127), 0);
  const float something[] = {-2.5F};
  histogram.add(something, 1);
  EXPECT_FALSE(histogram.empty());
  EXPECT_NEAR(histogram.best_range(127), 2.5, 0.1);
}

}  // namespace
}  // namespace smearscope::network
