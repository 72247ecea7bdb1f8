#include "network/backbone.h"

#include <torch/nn/init.h>

#include <algorithm>
#include <utility>

#include "smearscope/error.h"

namespace smearscope::training {

namespace nn = torch::nn;

namespace {

nn::Conv2d resnet_conv(int in, int out, int side, int stride) {
  nn::Conv2d conv(nn::Conv2dOptions(in, out, side).stride(stride).padding(side / 2).bias(false));
  nn::init::kaiming_normal_(conv->weight, 0.0, torch::kFanOut, torch::kReLU);
  return conv;
}

nn::Conv2d pyramid_conv(int in, int out, int side) {
  nn::Conv2d conv(nn::Conv2dOptions(in, out, side).padding(side / 2));
  nn::init::kaiming_uniform_(conv->weight, 1.0);
  nn::init::zeros_(conv->bias);
  return conv;
}

constexpr double momentum = 0.1;

}  // namespace

BatchNormImpl::BatchNormImpl(int channels, double eps, bool frozen) : eps_(eps), frozen_(frozen) {
  weight_ = register_parameter("weight", torch::ones(channels), !frozen);
  bias_ = register_parameter("bias", torch::zeros(channels), !frozen);
  running_mean_ = register_buffer("running_mean", torch::zeros(channels));
  running_var_ = register_buffer("running_var", torch::ones(channels));
}

torch::Tensor BatchNormImpl::forward(const torch::Tensor& x) {
  const bool batch_statistics = is_training() && !frozen_;
  if (batch_statistics && processes_) return shared_batch_norm(x);
  return torch::batch_norm(x, weight_, bias_, running_mean_, running_var_, batch_statistics, momentum, eps_,
                           /*cudnn_enabled=*/true);
}

// In sums of double precision, so that the variance as a difference of two sums keeps its digits.
torch::Tensor BatchNormImpl::shared_batch_norm(const torch::Tensor& x) {
  const double own = static_cast<double>(x.size(0) * x.size(2) * x.size(3));
  const torch::Tensor wide = x.to(weight_.scalar_type());  // autocast's types have too few digits to square
  const torch::Tensor sums = sum_over(
      processes_,
      at::cat({wide.sum({0, 2, 3}, false, at::kDouble), wide.square().sum({0, 2, 3}, false, at::kDouble),
               torch::full({1}, own, wide.options().dtype(at::kDouble))}));
  const std::int64_t channels = x.size(1);
  const torch::Tensor count =
      sums[2 * channels].detach();  // stays on the device: reading it would mean to wait
  const torch::Tensor mean = sums.slice(0, 0, channels) / count;
  const torch::Tensor variance = (sums.slice(0, channels, 2 * channels) / count - mean.square()).clamp_min(0);
  {
    const at::NoGradGuard no_gradient;
    running_mean_.lerp_(mean.to(running_mean_.scalar_type()), momentum);
    running_var_.lerp_((variance * (count / (count - 1).clamp_min(1))).to(running_var_.scalar_type()),
                       momentum);
  }
  const auto shape = std::array<std::int64_t, 4>{1, channels, 1, 1};
  const torch::Tensor factor = weight_.to(at::kDouble) * (variance + eps_).rsqrt();
  const torch::Tensor offset = bias_.to(at::kDouble) - mean * factor;
  const auto type = wide.scalar_type();  // gradients of factor and offset are sums, too
  return (wide * factor.to(type).view(shape) + offset.to(type).view(shape)).to(x.scalar_type());
}

ResidualBlockImpl::ResidualBlockImpl(int in_channels, int width, int stride, bool bottleneck,
                                     const BatchNormOptions& batch_norm)
    : out_channels_(bottleneck ? width * 4 : width) {
  const auto add = [&](int in, int out, int side, int conv_stride) {
    const std::string number = std::to_string(convs_.size() + 1);
    convs_.push_back(register_module("conv" + number, resnet_conv(in, out, side, conv_stride)));
    norms_.push_back(register_module("bn" + number, BatchNorm(out, batch_norm.eps, batch_norm.frozen)));
  };
  if (bottleneck) {
    add(in_channels, width, 1, 1);
    add(width, width, 3, stride);
    add(width, out_channels_, 1, 1);
  } else {
    add(in_channels, width, 3, stride);
    add(width, width, 3, 1);
  }
  if (stride != 1 || in_channels != out_channels_) {
    shortcut_conv_ = resnet_conv(in_channels, out_channels_, 1, stride);
    shortcut_norm_ = BatchNorm(out_channels_, batch_norm.eps, batch_norm.frozen);
    auto downsample = register_module("downsample", std::make_shared<nn::Module>());
    downsample->register_module("0", shortcut_conv_);
    downsample->register_module("1", shortcut_norm_);
  }
}

torch::Tensor ResidualBlockImpl::forward(const torch::Tensor& x) {
  torch::Tensor y = x;
  for (std::size_t i = 0; i < convs_.size(); ++i) {
    y = norms_[i](convs_[i](y));
    if (i + 1 < convs_.size()) y.relu_();
  }
  y += shortcut_conv_ ? shortcut_norm_(shortcut_conv_(x)) : x;
  return y.relu_();
}

ResNetImpl::ResNetImpl(const std::string& name, const BatchNormOptions& batch_norm) {
  std::array<int, 4> blocks{};
  if (name == "resnet18") {
    blocks = {2, 2, 2, 2};
  } else if (name == "resnet34" || name == "resnet50") {
    blocks = {3, 4, 6, 3};
  } else {
    throw Error("unknown backbone \"" + name + "\": use resnet18, resnet34 or resnet50");
  }
  conv1_ = register_module("conv1", resnet_conv(3, 64, 7, 2));
  bn1_ = register_module("bn1", BatchNorm(64, batch_norm.eps, batch_norm.frozen));
  int channels = 64;
  for (int stage = 0; stage < 4; ++stage) {
    auto layer = register_module("layer" + std::to_string(stage + 1), std::make_shared<nn::Module>());
    for (int b = 0; b < blocks[stage]; ++b) {
      const int stride = stage > 0 && b == 0 ? 2 : 1;
      ResidualBlock block(channels, 64 << stage, stride, name == "resnet50", batch_norm);
      layer->register_module(std::to_string(b), block);
      stages_[stage].push_back(block);
      channels = block->out_channels();
    }
    channels_[stage] = channels;
  }
}

void ResNetImpl::share_batches(Processes* processes) {
  for (const auto& module : modules()) {
    if (auto* norm = module->as<BatchNorm>()) norm->share_batches(processes);
  }
}

std::array<torch::Tensor, 4> ResNetImpl::forward(const torch::Tensor& images) {
  torch::Tensor x = bn1_(conv1_(images)).relu_();
  x = torch::max_pool2d(x, /*kernel_size=*/3, /*stride=*/2, /*padding=*/1);
  std::array<torch::Tensor, 4> out;
  for (int stage = 0; stage < 4; ++stage) {
    for (ResidualBlock& block : stages_[stage]) x = block(x);
    out[stage] = x;
  }
  return out;
}

void ResNetImpl::freeze_stages(int count) {
  const auto freeze = [](nn::Module& module) {
    for (torch::Tensor& parameter : module.parameters()) parameter.set_requires_grad(false);
  };
  if (count > 0) {
    freeze(*conv1_);
    freeze(*bn1_);
  }
  for (int stage = 0; stage + 1 < count; ++stage) {
    for (ResidualBlock& block : stages_[stage]) freeze(*block);
  }
}

FeaturePyramidImpl::FeaturePyramidImpl(const std::array<int, 4>& in_channels, int channels) {
  // torchvision wraps each convolution in a Sequential, hence the names inner_blocks.<level>.0.weight.
  auto inner = register_module("inner_blocks", std::make_shared<nn::Module>());
  auto layer = register_module("layer_blocks", std::make_shared<nn::Module>());
  for (int i = 0; i < 4; ++i) {
    inner_[i] = pyramid_conv(in_channels[i], channels, 1);
    layer_[i] = pyramid_conv(channels, channels, 3);
    inner->register_module(std::to_string(i), std::make_shared<nn::Module>())
        ->register_module("0", inner_[i]);
    layer->register_module(std::to_string(i), std::make_shared<nn::Module>())
        ->register_module("0", layer_[i]);
  }
}

std::array<torch::Tensor, 5> FeaturePyramidImpl::forward(const std::array<torch::Tensor, 4>& stages) {
  std::array<torch::Tensor, 5> out;
  torch::Tensor top_down = inner_[3](stages[3]);
  out[3] = layer_[3](top_down);
  for (int i = 2; i >= 0; --i) {
    torch::Tensor lateral = inner_[i](stages[i]);
    lateral += torch::upsample_nearest2d(top_down, lateral.sizes().slice(2));
    top_down = lateral;
    out[i] = layer_[i](top_down);
  }
  out[4] = torch::max_pool2d(out[3], /*kernel_size=*/1, /*stride=*/2);
  return out;
}

}  // namespace smearscope::training
