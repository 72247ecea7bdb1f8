// ResNet and feature pyramid, with torchvision's parameter names and initial weights
// (torchvision/models/resnet.py, torchvision/ops/feature_pyramid_network.py).
#pragma once

#include <torch/nn/module.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/modulelist.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/pimpl.h>

#include <array>
#include <string>
#include <vector>

#include "network/processes.h"

namespace smearscope::training {

// Batch norm over [N, C, H, W], momentum 0.1: ordinary in train(), running statistics in eval() or when
// frozen (then weight and bias take no gradient either). Statistics of a batch that processes share are the
// whole batch's.
class BatchNormImpl : public torch::nn::Module {
 public:
  BatchNormImpl(int channels, double eps, bool frozen);
  torch::Tensor forward(const torch::Tensor& x);
  void share_batches(Processes* processes) { processes_ = processes; }  // processes.h; not owned

 private:
  torch::Tensor shared_batch_norm(const torch::Tensor& x);

  torch::Tensor weight_, bias_, running_mean_, running_var_;
  double eps_;
  bool frozen_;
  Processes* processes_ = nullptr;
};
TORCH_MODULE(BatchNorm);

struct BatchNormOptions {
  double eps = 1e-5;
  bool frozen = false;
};

// A residual block: two 3x3 convolutions (ResNet-18 and 34), or 1x1, 3x3, 1x1 with the stride on the 3x3
// (ResNet-50).
class ResidualBlockImpl : public torch::nn::Module {
 public:
  ResidualBlockImpl(int in_channels, int width, int stride, bool bottleneck,
                    const BatchNormOptions& batch_norm);
  torch::Tensor forward(const torch::Tensor& x);
  int out_channels() const { return out_channels_; }

 private:
  int out_channels_;
  std::vector<torch::nn::Conv2d> convs_;
  std::vector<BatchNorm> norms_;
  torch::nn::Conv2d shortcut_conv_{nullptr};
  BatchNorm shortcut_norm_{nullptr};
};
TORCH_MODULE(ResidualBlock);

class ResNetImpl : public torch::nn::Module {
 public:
  // name: resnet18, resnet34 or resnet50; throws smearscope::Error on another.
  ResNetImpl(const std::string& name, const BatchNormOptions& batch_norm);
  // [N, 3, H, W] -> C2..C5, strides 4, 8, 16, 32.
  std::array<torch::Tensor, 4> forward(const torch::Tensor& images);
  const std::array<int, 4>& channels() const { return channels_; }  // of C2..C5
  void share_batches(Processes* processes);
  // The first `count` of stem, layer1..layer4 take no gradient.
  void freeze_stages(int count);

 private:
  torch::nn::Conv2d conv1_{nullptr};
  BatchNorm bn1_{nullptr};
  std::array<std::vector<ResidualBlock>, 4> stages_;
  std::array<int, 4> channels_{};
};
TORCH_MODULE(ResNet);

class FeaturePyramidImpl : public torch::nn::Module {
 public:
  FeaturePyramidImpl(const std::array<int, 4>& in_channels, int channels);
  // C2..C5 -> P2..P6; P6 is every second pixel of P5.
  std::array<torch::Tensor, 5> forward(const std::array<torch::Tensor, 4>& stages);

 private:
  std::array<torch::nn::Conv2d, 4> inner_{nullptr, nullptr, nullptr, nullptr};
  std::array<torch::nn::Conv2d, 4> layer_{nullptr, nullptr, nullptr, nullptr};
};
TORCH_MODULE(FeaturePyramid);

}  // namespace smearscope::training
