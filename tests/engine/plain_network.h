// A plan in plain loops: slow, obvious, in double precision.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "network/plan.h"
#include "ops/preprocess.h"
#include "temporary_folder.h"
#include "tiny_model.h"

namespace smearscope::network {

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

inline void convolve(const Convolution& convolution, const Value& in, bool accumulate, Value& out) {
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

inline void run_step(const Plan& plan, const Step& step, std::vector<Value>& values, ops::Size out_size) {
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

// All values of the plan. `store` is called with each convolution's result, as it would be stored.
using Store = std::function<void(const Convolution&, Value&)>;

inline std::vector<Value> reference(const Plan& plan, const Value& input, const Store& store = nullptr) {
  const std::vector<ops::Size> sizes = value_sizes(plan, input.size);
  std::vector<Value> values(plan.channels.size());
  values[plan.input] = input;
  for (const Step& step : plan.steps) {
    run_step(plan, step, values, sizes[step.output]);
    if (store && step.convolution >= 0) store(plan.convolutions[step.convolution], values[step.output]);
  }
  return values;
}

inline void write_input(const Value& image, const ops::InputView& view) {
  for (int c = 0; c < 3; ++c)
    for (int y = 0; y < image.size.height; ++y)
      for (int x = 0; x < image.size.width; ++x)
        view.data[c * view.channel_stride + y * view.row_stride + x * view.pixel_stride] =
            image.get(c, y, x, 0);
}

inline std::shared_ptr<const Model> random_model(const ModelInfo& info) {
  const testing::TemporaryFolder folder;
  testing::write_random_model(folder.file("m.safetensors"), info, 1);
  return Model::load(folder.file("m.safetensors"));
}

// `found` [height][width][channels].
inline void expect_channels_last(const float* found, const Value& expected, const std::string& what) {
  double largest = 0;
  for (const float value : expected.data) largest = std::max(largest, std::abs(double{value}));
  ASSERT_GT(largest, 0.01) << what << " is empty, so it shows nothing";
  for (int y = 0; y < expected.size.height; ++y)
    for (int x = 0; x < expected.size.width; ++x)
      for (int c = 0; c < expected.channels; ++c)
        ASSERT_NEAR(*found++, expected.get(c, y, x, 0), 1e-4 * largest)
            << what << " c " << c << " y " << y << " x " << x;
}

// y[out] of one row.
inline std::vector<double> plain_linear(const Linear& linear, const std::vector<double>& row) {
  std::vector<double> outputs;
  for (int out = 0; out < linear.out_features; ++out) {
    double sum = linear.bias[out];
    for (int in = 0; in < linear.in_features; ++in)
      sum += row[in] * linear.weights[static_cast<std::size_t>(out) * linear.in_features + in];
    outputs.push_back(linear.relu ? std::max(sum, 0.0) : sum);
  }
  return outputs;
}

}  // namespace smearscope::network
