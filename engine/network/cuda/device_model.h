// A model on a device: weights and constants, shared by all input shapes.
#pragma once

#include <array>
#include <vector>

#include "network/cuda/convolution.h"
#include "network/plan.h"
#include "ops/kinds.h"
#include "ops/preprocess.h"
#include "smearscope/model.h"

namespace smearscope::network {

struct DeviceKinds {
  explicit DeviceKinds(const ops::Kinds& kinds);
  ops::KindsView view() const {
    return {static_cast<const int*>(first.get()), static_cast<const int*>(kinds.get())};
  }

  DeviceMemory first, kinds;
};

struct DeviceModel {
  // On the current device. Throws Error if the model asks for more than the kernels can do, or has weights
  // that `element` can't hold.
  DeviceModel(const Model& model, ops::Element element);

  ops::Element element;
  Plan plan;  // without the weights' values, which are on the device
  Architecture architecture;
  Transform transform;
  int classes = 0;

  std::vector<DeviceWeights> convolutions;  // as in plan
  DeviceWeights fc6, fc7, predictor;        // the predictor's output is f32
  std::array<DeviceMemory, ops::pyramid_levels> cell_anchors;
  DeviceMemory gaussian;
  DeviceKinds single, summed;  // each class alone; with all its kinds
  ops::DeviceTransform device_transform;

  int padded(int channels) const { return ops::padded_channels(channels, element); }
  bool sharpens() const { return transform.adjustment.unsharp_amount != 0; }

 private:
  DeviceModel(const Model& model, ops::Element element, Plan made);
};

}  // namespace smearscope::network
