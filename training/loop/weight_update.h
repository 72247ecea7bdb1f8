// What happens to the weights at a training step: stochastic gradient descent with momentum, and their moving
// average.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "loop/checkpoint.h"
#include "loop/loss_scale.h"
#include "loop/regimen.h"
#include "network/faster_rcnn.h"
#include "network/processes.h"

namespace smearscope::training {

class WeightUpdate {
 public:
  // Works on the network's device, where momentum and average are, too. With autocast in f16 it scales the
  // loss.
  WeightUpdate(FasterRcnn network, const Optimisation& options);

  // What backward is to be called on: the loss, times the scale where there is one.
  torch::Tensor scaled(const torch::Tensor& loss) const { return scale_ ? scale_->scaled(loss) : loss; }

  // One step from the gradients of the network's parameters, as torch.optim.SGD:
  //   v = momentum * v + gradient + weight_decay * w;  w = w - learning_rate * v
  // after scaling all gradients together to an L2 norm of at most gradient_clip. Clears the gradients. Then
  // the average:
  //   a = d * a + (1 - d) * w, d = min(ema_decay, (1 + step) / (10 + step)), over parameters and buffers.
  // With a loss scale, the gradients are divided by it first; where they have overflowed, weights, momentum
  // and average stay as they are. Does not wait for a GPU.
  void step(double learning_rate, std::size_t step);

  // Replaces each gradient by the sum of all processes' gradients: one message, from a buffer in which the
  // gradients lie from the first call on.
  void sum_gradients(Processes& processes);

  // Exchanges the network's weights and their average; twice is nothing. No effect if ema_decay is 0.
  void swap_average();

  std::vector<SavedTensor> save() const;
  // Throws Error naming the tensor that is missing or has another shape.
  void load(const std::vector<SavedTensor>& tensors);

 private:
  void place_gradients();
  void clear_gradients();
  void clip_gradients(const std::vector<torch::Tensor>& gradients) const;
  // Every tensor that a checkpoint holds, by its name there.
  std::map<std::string, torch::Tensor> all_tensors() const;

  Optimisation options_;
  // The same tensors in the order of their names, as LibTorch's operations on lists want them.
  struct Lists {
    std::vector<torch::Tensor> weights, gradients, velocities;  // of weights that have a gradient
  };
  Lists with_gradient();
  void update_weights(const Lists& lists, double learning_rate, std::size_t step);

  std::map<std::string, torch::Tensor> parameters_, buffers_, momentum_, average_;
  std::vector<torch::Tensor> averages_, averaged_;  // the moving average and what it is of
  torch::Tensor message_;                           // all gradients, where processes sum them
  std::optional<LossScale> scale_;
};

// Swaps the average in for as long as it lives.
class AverageInUse {
 public:
  explicit AverageInUse(WeightUpdate& update) : update_(update) { update_.swap_average(); }
  ~AverageInUse() { update_.swap_average(); }
  AverageInUse(const AverageInUse&) = delete;
  AverageInUse& operator=(const AverageInUse&) = delete;

 private:
  WeightUpdate& update_;
};

}  // namespace smearscope::training
