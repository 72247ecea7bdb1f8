// torchvision's state-dict names and shapes (models/resnet.py, ops/feature_pyramid_network.py,
// models/detection/{rpn,faster_rcnn}.py). tests/oracles/check_model_format.py compares them with torchvision
// itself.
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "smearscope/model.h"

namespace smearscope {
namespace {

struct Trunk {
  std::array<int, 4> blocks;  // in layer1 to layer4
  bool bottleneck;
};

Trunk trunk_of(const std::string& backbone) {
  if (backbone == "resnet18") return {{2, 2, 2, 2}, false};
  if (backbone == "resnet34") return {{3, 4, 6, 3}, false};
  if (backbone == "resnet50") return {{3, 4, 6, 3}, true};
  throw Error("unknown backbone '" + backbone + "'; known are resnet18, resnet34 and resnet50");
}

class Specs {
 public:
  // A convolution or linear layer with its bias.
  void layer(const std::string& name, std::vector<std::int64_t> shape) {
    const std::int64_t outputs = shape[0];
    add(name + ".weight", std::move(shape));
    add(name + ".bias", {outputs});
  }

  // A convolution without bias and the batch norm after it.
  void convolution_and_norm(const std::string& convolution, const std::string& norm, std::int64_t outputs,
                            std::int64_t inputs, std::int64_t kernel) {
    add(convolution + ".weight", {outputs, inputs, kernel, kernel});
    for (const char* part : {".weight", ".bias", ".running_mean", ".running_var"})
      add(norm + part, {outputs});
  }

  // One residual block; returns its output channels.
  std::int64_t block(const std::string& name, bool bottleneck, std::int64_t inputs, std::int64_t width,
                     bool first) {
    const std::int64_t outputs = bottleneck ? 4 * width : width;
    if (bottleneck) {
      convolution_and_norm(name + "conv1", name + "bn1", width, inputs, 1);
      convolution_and_norm(name + "conv2", name + "bn2", width, width, 3);
      convolution_and_norm(name + "conv3", name + "bn3", outputs, width, 1);
    } else {
      convolution_and_norm(name + "conv1", name + "bn1", width, inputs, 3);
      convolution_and_norm(name + "conv2", name + "bn2", width, width, 3);
    }
    if (first && inputs != outputs)
      convolution_and_norm(name + "downsample.0", name + "downsample.1", outputs, inputs, 1);
    return outputs;
  }

  std::vector<TensorSpec> take() { return std::move(specs_); }

 private:
  void add(std::string name, std::vector<std::int64_t> shape) {
    specs_.push_back({std::move(name), std::move(shape)});
  }

  std::vector<TensorSpec> specs_;
};

}  // namespace

std::vector<TensorSpec> expected_tensors(const Architecture& architecture, std::size_t class_count) {
  const Trunk trunk = trunk_of(architecture.backbone);
  const std::int64_t pyramid = architecture.fpn_channels;
  Specs specs;

  specs.convolution_and_norm("backbone.body.conv1", "backbone.body.bn1", 64, 3, 7);
  std::int64_t channels = 64;
  std::array<std::int64_t, 4> stage_channels{};
  for (std::size_t stage = 0; stage < 4; ++stage) {
    for (int i = 0; i < trunk.blocks[stage]; ++i) {
      const std::string name =
          "backbone.body.layer" + std::to_string(stage + 1) + "." + std::to_string(i) + ".";
      channels = specs.block(name, trunk.bottleneck, channels, std::int64_t{64} << stage, i == 0);
    }
    stage_channels[stage] = channels;
  }

  for (std::size_t level = 0; level < 4; ++level) {
    specs.layer("backbone.fpn.inner_blocks." + std::to_string(level) + ".0",
                {pyramid, stage_channels[level], 1, 1});
  }
  for (std::size_t level = 0; level < 4; ++level) {
    specs.layer("backbone.fpn.layer_blocks." + std::to_string(level) + ".0", {pyramid, pyramid, 3, 3});
  }

  const auto anchors =
      static_cast<std::int64_t>(architecture.anchor_sizes[0].size() * architecture.anchor_ratios.size());
  specs.layer("rpn.head.conv.0.0", {pyramid, pyramid, 3, 3});
  specs.layer("rpn.head.cls_logits", {anchors, pyramid, 1, 1});
  specs.layer("rpn.head.bbox_pred", {4 * anchors, pyramid, 1, 1});

  const auto rows = static_cast<std::int64_t>(class_count) + 1;  // row 0 is background
  const std::int64_t width = architecture.head_width;
  specs.layer("roi_heads.box_head.fc6", {width, pyramid * 7 * 7});
  specs.layer("roi_heads.box_head.fc7", {width, width});
  specs.layer("roi_heads.box_predictor.cls_score", {rows, width});
  specs.layer("roi_heads.box_predictor.bbox_pred", {4 * rows, width});
  return specs.take();
}

}  // namespace smearscope
