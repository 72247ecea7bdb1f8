// Numbers of Faster R-CNN's training; no LibTorch here.
#pragma once

#include <vector>

namespace smearscope::training {

// The box head's classification loss, of a proposal whose target has the probability p:
// -weight (1 - p)^focal_gamma log(p), over the sum of the weights (Lin et al., 2017; gamma 0: cross-entropy).
struct ClassificationLoss {
  double focal_gamma = 0;
  std::vector<double> class_weights;  // one for background (0), then for each class; empty: all are 1
};

// What convolutions and linear layers compute in; weights, losses, gradients and the optimiser stay in f32.
// bf16 has f32's range. f16 has three more binary digits, but gradients that it can't hold unless the loss is
// scaled (loop/loss_scale.h); on CUDA alone.
enum class MixedPrecision { off, bf16, f16 };

// How the network is trained; the defaults are torchvision's. What the file needs at run time is in
// ModelInfo.
struct TrainingSettings {
  int rpn_pre_nms_top_n = 2000;   // per level
  int rpn_post_nms_top_n = 2000;  // per image
  double rpn_positive_iou = 0.7;  // at least this: positive
  double rpn_negative_iou = 0.3;  // below this: negative
  int rpn_samples = 256;          // anchors per image in the RPN's losses
  double rpn_positive_fraction = 0.5;
  double roi_positive_iou = 0.5;  // at least this: the proposal takes the object's class, else background
  int roi_samples = 512;          // proposals per image in the box head's losses
  double roi_positive_fraction = 0.25;
  bool frozen_batch_norm = false;  // statistics and affine parameters stay as loaded
  int frozen_stages = 0;           // 0..5: how many of stem, layer1..layer4 keep their weights
  // For each class the index of the one that it is a kind of, or -1. A box labelled with a class then asks
  // for the sum of that class's and its kinds' probabilities. Empty: labels mean their own class alone.
  std::vector<int> class_parents;
  // 0..1: of the loss of a class that has kinds, how much asks for its own name; the rest asks for the sum.
  // At 0 nothing teaches the general name, at 1 its kinds are wrong.
  double own_name_share = 0;
  MixedPrecision autocast = MixedPrecision::off;
  ClassificationLoss classification;
};

}  // namespace smearscope::training
