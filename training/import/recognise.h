// Which network a state dict is of, from the names and shapes of its tensors.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "smearscope/model.h"

namespace smearscope::checkpoint {

using Shapes = std::map<std::string, std::vector<std::int64_t>>;

struct Layout {
  std::string backbone;  // resnet18, resnet34 or resnet50
  bool is_detector = false;
  // Of a detector:
  int fpn_channels = 0;
  int head_width = 0;
  int anchors_per_place = 0;
  int class_count = 0;             // without background
  bool frozen_batch_norm = false;  // saved from FrozenBatchNorm2d: batch norms don't count batches
};

// Throws Error, saying what it is where that is known, unless it is torchvision's Faster R-CNN with a
// ResNet-18, 34 or 50 and FPN, or one of these ResNets alone (then what isn't of its body, such as `fc`,
// doesn't matter). Every tensor that the network needs is there and has the right shape.
Layout recognise(const Shapes& shapes);

// What a network of this layout needs: expected_tensors, of a backbone alone with its names as in a file of
// ResNet ("conv1.weight").
std::vector<TensorSpec> needed_tensors(const Layout& layout);

}  // namespace smearscope::checkpoint
