// Faster R-CNN with a ResNet-FPN backbone, for training: the same network as the engine's, with its four
// losses. Constants, names and numerics: torchvision/models/detection/{faster_rcnn,rpn,roi_heads,_utils}.py.
#pragma once

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "network/training_settings.h"
#include "smearscope/model.h"

namespace smearscope::training {

// What is in one image.
struct Target {
  torch::Tensor boxes;  // [n, 4] f32: x_min, y_min, x_max, y_max in pixels of the image as given; n may be 0
  torch::Tensor
      labels;  // [n] i64: 1-based index into ModelInfo::classes; 0 is background and not allowed here
  // What is not known, so that nothing is learnt from it: cells in these regions may have no box ([m, 4] f32
  // as boxes; undefined: there are none); cells of these classes (1-based) may have no box, anywhere.
  torch::Tensor ignore_regions = torch::Tensor();
  std::vector<int> open_classes = {};
};

// Scalars of the parameters' dtype, with gradient.
struct Losses {
  torch::Tensor objectness;      // RPN, binary cross-entropy, mean over the sampled anchors
  torch::Tensor rpn_box;         // RPN, smooth L1 (beta 1/9), sum over positive samples / samples
  torch::Tensor classification;  // box head, cross-entropy, mean over the sampled proposals
  torch::Tensor box;             // box head, smooth L1 (beta 1/9), sum over positive samples / samples
  torch::Tensor total() const { return objectness + rpn_box + classification + box; }
};

// One image's detections in host memory, best score first, at most ModelInfo::thresholds.max_detections. No
// gradient.
struct Found {
  torch::Tensor boxes;   // [n, 4] f32, pixels of the image as given
  torch::Tensor scores;  // [n] f32
  torch::Tensor labels;  // [n] i64, 1-based
};

struct LossOptions {
  // Same seed, weights and input: same samples. Image i draws from sampling_seed + i.
  std::uint64_t sampling_seed = 0;
  std::optional<int> min_side;  // replaces ModelInfo::transform.min_side (scale jitter)
};

class Processes;  // processes.h
struct Network;   // the parts: backbone, FPN, RPN, box head (network.h)

// Parameters and buffers have torchvision's state-dict names (without num_batches_tracked). They are f32;
// after to(torch::kDouble) everything but box arithmetic runs in f64 (tests do; on the CPU alone). Runs where
// they are: on the CPU, or after move_to (device.h) on a CUDA device, in f32. Samples are drawn on the host,
// so that the seed alone decides, given the same proposals; while the GPU computes features the host samples
// anchors, and waits for the proposals. Not thread-safe. Gradients flow to parameters, not to images.
class FasterRcnnImpl : public torch::nn::Module {
 public:
  // Random weights as torchvision's, drawn from LibTorch's default generator (torch::manual_seed).
  // Throws smearscope::Error if `info` or `settings` can't be met (unknown backbone, no classes, ...).
  explicit FasterRcnnImpl(const ModelInfo& info, const TrainingSettings& settings = {});
  ~FasterRcnnImpl() override;

  // images: one or more of [3, H, W] RGB, f32 in 0..1 or u8 in 0..255, sizes may differ; brought to the
  // weights' device, normalised, resized and padded inside. train() or eval() decides only what batch norm
  // does. Throws smearscope::Error, naming image and box, on a target that is not finite, has no area, or has
  // a label out of range. An anchor or a proposal that matches no box is no negative if more than half of it
  // lies in an ignore region. Where there are open classes, anchors are negatives only if they overlap a box,
  // and what a proposal without a match may not be is less: the loss asks for the sum of the probabilities of
  // background and open classes.
  Losses losses(const std::vector<torch::Tensor>& images, const std::vector<Target>& targets,
                const LossOptions& options = {});

  // From now on, in train(), the images given to losses() are this process's share of a batch, the batch
  // norms take the statistics of all shares, and losses() returns this process's part: the sum over the
  // processes is the batch's loss. `processes` is not owned; null ends it.
  void share_batches(Processes* processes);

  // Needs eval(); throws smearscope::Error otherwise. Uses ModelInfo's thresholds and top-n numbers.
  std::vector<Found> detect(const std::vector<torch::Tensor>& images);

  const ModelInfo& info() const;
  const TrainingSettings& settings() const;

 private:
  std::unique_ptr<Network> network_;
};
TORCH_MODULE(FasterRcnn);

// Copies every tensor of `model` into `network`. Throws smearscope::Error naming the first that doesn't fit.
void load_weights(FasterRcnn& network, const Model& model);

// Copies `tensors` into those of the same names; all others keep their values. Throws smearscope::Error
// naming the first that doesn't fit, and then changes nothing.
void load_tensors(FasterRcnn& network, const std::vector<TensorView>& tensors);

// Writes a model file (whole or not at all) with weights as f32, f16 or bf16, rounded to nearest even.
// Throws smearscope::Error if a weight is not finite or the file can't be written.
void save_model(const FasterRcnn& network, const ModelInfo& info, const std::string& path, DType dtype);

}  // namespace smearscope::training
