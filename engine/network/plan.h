// The network as data: what to compute, in which order, with which weights. Made from a model once; each
// backend compiles it for its device and input shape.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "ops/proposals.h"
#include "ops/roi_align.h"
#include "ops/transform.h"
#include "smearscope/model.h"

namespace smearscope::network {

// y = convolve(x) + bias (+ what y holds already) (then ReLU). Padding is (kernel - 1) / 2 on each side.
struct Convolution {
  std::string name;  // of the module in the model file
  int in_channels = 0, out_channels = 0, kernel = 1, stride = 1;
  bool relu = false;
  std::vector<float> weights;  // [out][in][kernel][kernel], batch norm folded in
  std::vector<float> bias;     // [out]
  float range = 0;  // largest magnitude of y that int8 shows; 0 where there is none: RPN's outputs, which
                    // stay floats, and what missing_range names
};

// y = x * weights^T + bias (then ReLU).
struct Linear {
  std::string name;
  int in_features = 0, out_features = 0;
  bool relu = false;
  std::vector<float> weights;  // [out][in]
  std::vector<float> bias;     // [out]
  float input_range = 0;       // largest magnitude of x that int8 shows; 0: x stays a float
};

// Names of ranges that are no convolution's: what RoIAlign gives to fc6, and fc6 to fc7.
inline constexpr const char* roi_pool_name = "roi_heads.box_roi_pool";
inline constexpr const char* fc6_name = "roi_heads.box_head.fc6";

enum class Stage { backbone, fpn, rpn };

struct Step {
  enum class Kind {
    convolve,
    max_pool,   // 3x3, stride 2, padding 1
    upsample,   // nearest neighbour, twice the size
    subsample,  // every second row and column, from the first
  };
  Kind kind = Kind::convolve;
  Stage stage = Stage::backbone;
  int input = 0, output = 0;  // value numbers; never the same
  int convolution = -1;       // index into Plan::convolutions
  bool accumulate = false;    // convolve only: `output` holds a value already (residual), which is added
};

// Faster R-CNN of torchvision (models/detection/faster_rcnn.py, backbone_utils.py,
// ops/feature_pyramid_network.py). Values are activations, numbered; a step with `accumulate` writes a value
// a second time, otherwise each is written once, before it is read.
struct Plan {
  std::vector<Convolution> convolutions;
  std::vector<Step> steps;
  std::vector<int> channels;                       // per value
  int input = 0;                                   // the preprocessed image, 3 channels
  float input_range = 0;                           // its largest magnitude
  std::array<int, ops::pyramid_levels> pyramid{};  // P2..P6; RoIAlign takes the first four
  std::array<int, ops::pyramid_levels> rpn{};      // per level: 5 A channels as ops::RpnLevel wants them
  std::array<std::vector<Box>, ops::pyramid_levels> cell_anchors;
  Linear fc6;  // takes [7][7][channels], as ops::roi_align writes it
  Linear fc7;
  Linear predictor;           // class logits, then box deltas, as ops::postprocess wants them
  std::string missing_range;  // first layer whose range int8 needs and the model doesn't tell; empty: none
};

// Batch norm is folded in double precision: weight * gamma / sqrt(var + eps), beta - mean * gamma / sqrt(var
// + eps). Throws Error if the architecture is one that the engine can't run.
Plan make_plan(const Model& model);

// Size of every value for an input of this (padded) size.
std::vector<ops::Size> value_sizes(const Plan& plan, ops::Size input);

}  // namespace smearscope::network
