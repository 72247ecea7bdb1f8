#include "network/heads.h"

#include <torch/nn/init.h>

#include <memory>
#include <vector>

namespace smearscope::training {

namespace nn = torch::nn;

namespace {

nn::Conv2d rpn_conv(int in, int out, int side) {
  nn::Conv2d conv(nn::Conv2dOptions(in, out, side).padding(side / 2));
  nn::init::normal_(conv->weight, 0.0, 0.01);
  nn::init::zeros_(conv->bias);
  return conv;
}

// [N, A * values, H, W] -> [N, H * W * A, values]; free of copies in channels-last memory.
torch::Tensor by_anchor(const torch::Tensor& map, int values) {
  return map.permute({0, 2, 3, 1}).reshape({map.size(0), -1, values});
}

}  // namespace

RpnHeadImpl::RpnHeadImpl(int channels, int anchors_per_position) {
  conv_ = rpn_conv(channels, channels, 3);
  logits_ = rpn_conv(channels, anchors_per_position, 1);
  deltas_ = rpn_conv(channels, anchors_per_position * 4, 1);
  auto head = register_module("head", std::make_shared<nn::Module>());
  auto conv = head->register_module("conv", std::make_shared<nn::Module>());
  conv->register_module("0", std::make_shared<nn::Module>())->register_module("0", conv_);
  head->register_module("cls_logits", logits_);
  head->register_module("bbox_pred", deltas_);
}

RpnHeadImpl::Output RpnHeadImpl::forward(const std::array<torch::Tensor, 5>& levels) {
  std::vector<torch::Tensor> logits, deltas;
  for (const torch::Tensor& level : levels) {
    const torch::Tensor x = conv_(level).relu_();
    logits.push_back(by_anchor(logits_(x), 1).squeeze(2));
    deltas.push_back(by_anchor(deltas_(x), 4));
  }
  return {torch::cat(logits, 1), torch::cat(deltas, 1)};
}

BoxHeadImpl::BoxHeadImpl(int channels, int width, int classes_with_background) {
  auto head = register_module("box_head", std::make_shared<nn::Module>());
  fc6_ = head->register_module("fc6", nn::Linear(channels * 49, width));
  fc7_ = head->register_module("fc7", nn::Linear(width, width));
  auto predictor = register_module("box_predictor", std::make_shared<nn::Module>());
  scores_ = predictor->register_module("cls_score", nn::Linear(width, classes_with_background));
  deltas_ = predictor->register_module("bbox_pred", nn::Linear(width, classes_with_background * 4));
}

BoxHeadImpl::Output BoxHeadImpl::forward(const torch::Tensor& pooled) {
  // fc6's columns are in (channel, y, x) order, the pooled values in (y, x, channel): the weights are the
  // smaller to turn.
  const std::int64_t rois = pooled.size(0), bins = pooled.size(1) * pooled.size(2), channels = pooled.size(3);
  const torch::Tensor weight =
      fc6_->weight.view({-1, channels, bins}).transpose(1, 2).reshape({-1, bins * channels});
  torch::Tensor x = torch::linear(pooled.view({rois, bins * channels}), weight, fc6_->bias).relu_();
  x = fc7_(x).relu_();
  const torch::Tensor logits = scores_(x);
  // In f32 or f64, whatever autocast made of the layers.
  const at::ScalarType type = pooled.scalar_type();
  return {logits.to(type), deltas_(x).view({rois, logits.size(1), 4}).to(type)};
}

}  // namespace smearscope::training
