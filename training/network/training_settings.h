// Numbers of Faster R-CNN's training; no LibTorch here.
#pragma once

namespace smearscope::training {

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
};

}  // namespace smearscope::training
