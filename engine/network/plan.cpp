#include "network/plan.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <stdexcept>
#include <utility>

#include "ops/anchors.h"

namespace smearscope::network {
namespace {

struct ResNet {
  bool bottleneck;
  std::array<int, 4> blocks;
};

const ResNet& resnet_of(const std::string& name) {
  static const std::map<std::string, ResNet> known{{"resnet18", {false, {2, 2, 2, 2}}},
                                                   {"resnet34", {false, {3, 4, 6, 3}}},
                                                   {"resnet50", {true, {3, 4, 6, 3}}}};
  const auto found = known.find(name);
  if (found == known.end())
    throw Error("model has the backbone \"" + name + "\"; this engine knows resnet18, resnet34 and resnet50");
  return found->second;
}

class Planner {
 public:
  explicit Planner(const Model& model) : model_(model), architecture_(model.info().architecture) {}

  Plan make() {
    plan_.input = new_value(3);
    plan_.input_range = input_range();
    plan_feature_pyramid(plan_backbone());
    plan_rpn();
    plan_box_head();
    return std::move(plan_);
  }

 private:
  int new_value(int channels) {
    plan_.channels.push_back(channels);
    return static_cast<int>(plan_.channels.size()) - 1;
  }

  const TensorView& tensor(const std::string& name) const {
    const TensorView* found = model_.find(name);
    if (!found) throw Error(model_.path() + ": tensor " + name + " is missing; write the model file again");
    return *found;
  }

  std::vector<float> values(const std::string& name, std::size_t count) const {
    std::vector<float> result = to_f32(tensor(name));
    if (result.size() != count)
      throw Error(model_.path() + ": tensor " + name + " has " + std::to_string(result.size()) +
                  " values, not " + std::to_string(count) + "; write the model file again");
    return result;
  }

  // Of the layer `name`'s result, for int8.
  float range_of(const std::string& name) {
    const auto found = model_.info().activation_ranges.find(name);
    if (found != model_.info().activation_ranges.end()) return static_cast<float>(found->second);
    if (plan_.missing_range.empty()) plan_.missing_range = name;
    return 0;
  }

  // Of normalised images: black and white are 0 and 1.
  float input_range() const {
    const Transform& transform = model_.info().transform;
    double largest = 0;
    for (std::size_t i = 0; i < 3; ++i)
      for (const double value : {0.0, 1.0})
        largest = std::max(largest, std::abs((value - transform.mean[i]) / transform.std[i]));
    return static_cast<float>(largest);
  }

  // The channels come from the weight itself, which is [out][in][kernel][kernel].
  Convolution read_convolution(const std::string& name, int in_channels, int kernel, int stride) const {
    const TensorView& weight = tensor(name + ".weight");
    Convolution convolution;
    convolution.name = name;
    convolution.in_channels = in_channels;
    convolution.out_channels = weight.shape.empty() ? 0 : static_cast<int>(weight.shape[0]);
    convolution.kernel = kernel;
    convolution.stride = stride;
    const auto count = static_cast<std::size_t>(convolution.out_channels) * in_channels * kernel * kernel;
    convolution.weights = values(name + ".weight", count);
    return convolution;
  }

  void fold_batch_norm(Convolution& convolution, const std::string& name) const {
    const auto channels = static_cast<std::size_t>(convolution.out_channels);
    const std::vector<float> gamma = values(name + ".weight", channels);
    const std::vector<float> beta = values(name + ".bias", channels);
    const std::vector<float> mean = values(name + ".running_mean", channels);
    const std::vector<float> variance = values(name + ".running_var", channels);
    const std::size_t weights_each = convolution.weights.size() / channels;
    convolution.bias.resize(channels);
    for (std::size_t out = 0; out < channels; ++out) {
      const double scale = gamma[out] / std::sqrt(double{variance[out]} + architecture_.batch_norm_eps);
      for (std::size_t i = out * weights_each; i < (out + 1) * weights_each; ++i)
        convolution.weights[i] = static_cast<float>(convolution.weights[i] * scale);
      convolution.bias[out] = static_cast<float>(beta[out] - mean[out] * scale);
    }
  }

  int add_step(Step::Kind kind, Stage stage, int input, int output, int convolution = -1,
               bool accumulate = false) {
    plan_.steps.push_back({kind, stage, input, output, convolution, accumulate});
    return output;
  }

  // Convolution and batch norm of the backbone. With `residual`, a value number, the result is added to that
  // value.
  int convolve(const std::string& name, const std::string& norm, int input, int kernel, int stride, bool relu,
               int residual = -1) {
    Convolution convolution = read_convolution(name, plan_.channels[input], kernel, stride);
    fold_batch_norm(convolution, norm);
    convolution.relu = relu;
    convolution.range = range_of(name);
    return add_convolution(std::move(convolution), Stage::backbone, input, residual);
  }

  int add_convolution(Convolution convolution, Stage stage, int input, int residual = -1) {
    const int output = residual < 0 ? new_value(convolution.out_channels) : residual;
    plan_.convolutions.push_back(std::move(convolution));
    return add_step(Step::Kind::convolve, stage, input, output,
                    static_cast<int>(plan_.convolutions.size()) - 1, residual >= 0);
  }

  // torchvision/models/resnet.py. The input of a block without downsampling is not needed after it, so the
  // block's result is accumulated there.
  int plan_block(const std::string& name, bool bottleneck, bool downsample, int stride, int input) {
    int residual = input;
    if (downsample)
      residual = convolve(name + ".downsample.0", name + ".downsample.1", input, 1, stride, false);
    if (!bottleneck) {
      const int middle = convolve(name + ".conv1", name + ".bn1", input, 3, stride, true);
      return convolve(name + ".conv2", name + ".bn2", middle, 3, 1, true, residual);
    }
    const int narrow = convolve(name + ".conv1", name + ".bn1", input, 1, 1, true);
    const int middle = convolve(name + ".conv2", name + ".bn2", narrow, 3, stride, true);
    return convolve(name + ".conv3", name + ".bn3", middle, 1, 1, true, residual);
  }

  // C2..C5.
  std::array<int, 4> plan_backbone() {
    const ResNet& resnet = resnet_of(architecture_.backbone);
    const std::string body = "backbone.body.";
    const int stem = convolve(body + "conv1", body + "bn1", plan_.input, 7, 2, true);
    int value = add_step(Step::Kind::max_pool, Stage::backbone, stem, new_value(plan_.channels[stem]));
    std::array<int, 4> stages{};
    for (int stage = 0; stage < 4; ++stage) {
      for (int block = 0; block < resnet.blocks[stage]; ++block) {
        const int stride = stage > 0 && block == 0 ? 2 : 1;
        const bool downsample = block == 0 && (resnet.bottleneck || stage > 0);
        const std::string name = body + "layer" + std::to_string(stage + 1) + "." + std::to_string(block);
        value = plan_block(name, resnet.bottleneck, downsample, stride, value);
      }
      stages[stage] = value;
    }
    return stages;
  }

  Convolution read_biased(const std::string& name, int in_channels, int kernel) const {
    Convolution convolution = read_convolution(name, in_channels, kernel, 1);
    convolution.bias = values(name + ".bias", static_cast<std::size_t>(convolution.out_channels));
    return convolution;
  }

  Convolution read_ranged(const std::string& name, int in_channels, int kernel) {
    Convolution convolution = read_biased(name, in_channels, kernel);
    convolution.range = range_of(name);
    return convolution;
  }

  // Top-down: the upper level is upsampled into a new value, onto which the lateral convolution accumulates.
  void plan_feature_pyramid(const std::array<int, 4>& stages) {
    int upper = -1;
    for (int level = 3; level >= 0; --level) {
      const std::string index = std::to_string(level) + ".0";
      int residual = -1;
      if (upper >= 0)
        residual = add_step(Step::Kind::upsample, Stage::fpn, upper, new_value(architecture_.fpn_channels));
      Convolution lateral =
          read_ranged("backbone.fpn.inner_blocks." + index, plan_.channels[stages[level]], 1);
      upper = add_convolution(std::move(lateral), Stage::fpn, stages[level], residual);
      Convolution output = read_ranged("backbone.fpn.layer_blocks." + index, architecture_.fpn_channels, 3);
      plan_.pyramid[level] = add_convolution(std::move(output), Stage::fpn, upper);
    }
    plan_.pyramid[4] =
        add_step(Step::Kind::subsample, Stage::fpn, plan_.pyramid[3], new_value(architecture_.fpn_channels));
  }

  // The objectness and box regression convolutions, both 1x1 on the same value, become one.
  void plan_rpn() {
    const int width = architecture_.fpn_channels;
    Convolution hidden = read_ranged("rpn.head.conv.0.0", width, 3);
    hidden.relu = true;
    Convolution outputs = read_biased("rpn.head.cls_logits", width, 1);
    const Convolution deltas = read_biased("rpn.head.bbox_pred", width, 1);
    outputs.name = "rpn.head.cls_logits + bbox_pred";
    outputs.out_channels += deltas.out_channels;
    outputs.weights.insert(outputs.weights.end(), deltas.weights.begin(), deltas.weights.end());
    outputs.bias.insert(outputs.bias.end(), deltas.bias.begin(), deltas.bias.end());
    const int hidden_index = static_cast<int>(plan_.convolutions.size());
    plan_.convolutions.push_back(std::move(hidden));
    plan_.convolutions.push_back(std::move(outputs));

    for (int level = 0; level < ops::pyramid_levels; ++level) {
      const int activation =
          add_step(Step::Kind::convolve, Stage::rpn, plan_.pyramid[level], new_value(width), hidden_index);
      const int channels = plan_.convolutions[hidden_index + 1].out_channels;
      plan_.rpn[level] =
          add_step(Step::Kind::convolve, Stage::rpn, activation, new_value(channels), hidden_index + 1);
      plan_.cell_anchors[level] =
          ops::cell_anchors(architecture_.anchor_sizes[level], architecture_.anchor_ratios);
      if (5 * plan_.cell_anchors[level].size() != static_cast<std::size_t>(channels))
        throw Error(model_.path() + ": pyramid level " + std::to_string(level) + " has " +
                    std::to_string(plan_.cell_anchors[level].size()) +
                    " anchors, but the RPN's outputs are for " + std::to_string(channels / 5) +
                    "; every level needs equally many anchor sizes");
    }
  }

  Linear read_linear(const std::string& name, int in_features) const {
    Linear linear;
    linear.name = name;
    linear.in_features = in_features;
    linear.bias = to_f32(tensor(name + ".bias"));
    linear.out_features = static_cast<int>(linear.bias.size());
    linear.weights = values(name + ".weight", linear.bias.size() * static_cast<std::size_t>(in_features));
    return linear;
  }

  // fc6 is stored for inputs [channels][7][7]; its columns are permuted once to [7][7][channels].
  void permute_fc6(Linear& fc6) const {
    const int positions = ops::roi_size * ops::roi_size;
    const int channels = architecture_.fpn_channels;
    std::vector<float> permuted(fc6.weights.size());
    for (int out = 0; out < fc6.out_features; ++out) {
      const std::size_t row = static_cast<std::size_t>(out) * fc6.in_features;
      for (int channel = 0; channel < channels; ++channel)
        for (int position = 0; position < positions; ++position)
          permuted[row + static_cast<std::size_t>(position) * channels + channel] =
              fc6.weights[row + static_cast<std::size_t>(channel) * positions + position];
    }
    fc6.weights = std::move(permuted);
  }

  void plan_box_head() {
    plan_.fc6 = read_linear(fc6_name, architecture_.fpn_channels * ops::roi_size * ops::roi_size);
    permute_fc6(plan_.fc6);
    plan_.fc6.relu = true;
    plan_.fc6.input_range = range_of(roi_pool_name);
    plan_.fc7 = read_linear("roi_heads.box_head.fc7", plan_.fc6.out_features);
    plan_.fc7.relu = true;
    plan_.fc7.input_range = range_of(fc6_name);
    plan_.predictor = read_linear("roi_heads.box_predictor.cls_score", plan_.fc7.out_features);
    const Linear deltas = read_linear("roi_heads.box_predictor.bbox_pred", plan_.fc7.out_features);
    Linear& merged = plan_.predictor;
    merged.name = "roi_heads.box_predictor";
    merged.out_features += deltas.out_features;
    merged.weights.insert(merged.weights.end(), deltas.weights.begin(), deltas.weights.end());
    merged.bias.insert(merged.bias.end(), deltas.bias.begin(), deltas.bias.end());
    if (static_cast<std::size_t>(merged.out_features) != 5 * (model_.info().classes.size() + 1))
      throw Error(model_.path() + ": the box predictor has " + std::to_string(merged.out_features) +
                  " outputs, but " + std::to_string(model_.info().classes.size()) + " classes need " +
                  std::to_string(5 * (model_.info().classes.size() + 1)));
  }

  const Model& model_;
  const Architecture& architecture_;
  Plan plan_;
};

ops::Size output_size(const Step& step, const Plan& plan, ops::Size input) {
  switch (step.kind) {
    case Step::Kind::convolve: {
      // (length + 2 padding - kernel) / stride + 1 with padding (kernel - 1) / 2, kernel odd
      const int stride = plan.convolutions[step.convolution].stride;
      return {(input.width - 1) / stride + 1, (input.height - 1) / stride + 1};
    }
    case Step::Kind::max_pool:
    case Step::Kind::subsample:
      return {(input.width - 1) / 2 + 1, (input.height - 1) / 2 + 1};
    case Step::Kind::upsample:
      return {2 * input.width, 2 * input.height};
  }
  throw std::logic_error("unknown kind of step");
}

}  // namespace

Plan make_plan(const Model& model) {
  return Planner(model).make();
}

std::vector<ops::Size> value_sizes(const Plan& plan, ops::Size input) {
  std::vector<ops::Size> sizes(plan.channels.size());
  sizes[plan.input] = input;
  for (const Step& step : plan.steps) sizes[step.output] = output_size(step, plan, sizes[step.input]);
  return sizes;
}

}  // namespace smearscope::network
