// The two heads on the feature pyramid (torchvision/models/detection/{rpn,faster_rcnn}.py).
#pragma once

#include <torch/nn/module.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/pimpl.h>

#include <array>

namespace smearscope::training {

// Names below `rpn.`: head.conv.0.0, head.cls_logits, head.bbox_pred.
class RpnHeadImpl : public torch::nn::Module {
 public:
  RpnHeadImpl(int channels, int anchors_per_position);

  struct Output {
    torch::Tensor logits;  // [N, anchors], in the anchors' order (level, y, x, cell anchor)
    torch::Tensor deltas;  // [N, anchors, 4]
  };
  Output forward(const std::array<torch::Tensor, 5>& levels);

 private:
  torch::nn::Conv2d conv_{nullptr}, logits_{nullptr}, deltas_{nullptr};
};
TORCH_MODULE(RpnHead);

// Names below `roi_heads.`: box_head.fc6, box_head.fc7, box_predictor.cls_score, box_predictor.bbox_pred.
class BoxHeadImpl : public torch::nn::Module {
 public:
  BoxHeadImpl(int channels, int width, int classes_with_background);

  struct Output {
    torch::Tensor logits;  // [R, classes], class 0 is background
    torch::Tensor deltas;  // [R, classes, 4]
  };
  // pooled: [R, 7, 7, C] as roi_align returns it.
  Output forward(const torch::Tensor& pooled);

 private:
  torch::nn::Linear fc6_{nullptr}, fc7_{nullptr}, scores_{nullptr}, deltas_{nullptr};
};
TORCH_MODULE(BoxHead);

}  // namespace smearscope::training
