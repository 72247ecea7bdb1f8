#include "loop/weight_update.h"

#include <ATen/ATen.h>
#include <torch/version.h>

#include <algorithm>

namespace smearscope::training {
namespace {

// averages += share * (values - averages)
void follow(const std::vector<at::Tensor>& averages, const std::vector<at::Tensor>& values, double share) {
#if TORCH_VERSION_MAJOR >= 2
  if (!averages.empty()) at::_foreach_lerp_(averages, values, share);
#else
  for (std::size_t i = 0; i < averages.size(); ++i) averages[i].lerp_(values[i], share);
#endif
}

}  // namespace

WeightUpdate::WeightUpdate(FasterRcnn network, const Optimisation& options) : options_(options) {
  const at::NoGradGuard no_gradient;
  for (const auto& item : network->named_parameters()) {
    parameters_[item.key()] = item.value();
    if (item.value().requires_grad()) momentum_[item.key()] = at::zeros_like(item.value());
  }
  for (const auto& item : network->named_buffers()) buffers_[item.key()] = item.value();
  if (options.autocast == MixedPrecision::f16) {
    scale_.emplace(parameters_.empty() ? c10::Device(at::kCPU) : parameters_.begin()->second.device());
  }
  if (options.ema_decay > 0) {
    for (const auto* group : {&parameters_, &buffers_}) {
      for (const auto& [name, tensor] : *group) {
        average_[name] = tensor.detach().clone();
        averages_.push_back(average_[name]);
        averaged_.push_back(tensor);
      }
    }
  }
}

// The factor stays on the device: reading it here would mean to wait for a GPU.
void WeightUpdate::clip_gradients(const std::vector<torch::Tensor>& gradients) const {
  if (options_.gradient_clip <= 0 || gradients.empty()) return;
  const at::Tensor norm = at::stack(at::_foreach_norm(gradients, 2)).to(at::kDouble).square().sum().sqrt();
  const at::Tensor factor = (options_.gradient_clip / (norm + 1e-6)).clamp_max(1);
  for (const at::Tensor& gradient : gradients) gradient.mul_(factor);
}

WeightUpdate::Lists WeightUpdate::with_gradient() {
  Lists lists;
  for (const auto& [name, velocity] : momentum_) {
    const at::Tensor& weight = parameters_[name];
    if (!weight.grad().defined()) continue;
    lists.weights.push_back(weight);
    lists.gradients.push_back(weight.grad());
    lists.velocities.push_back(velocity);
  }
  return lists;
}

// Backward adds to gradients that are there, in place; so they are views of the message from the first call
// on.
void WeightUpdate::place_gradients() {
  if (message_.defined() || momentum_.empty()) return;
  std::int64_t numbers = 0;
  for (const auto& [name, velocity] : momentum_) numbers += velocity.numel();
  message_ = at::zeros({numbers}, momentum_.begin()->second.options());
  std::int64_t first = 0;
  for (const auto& [name, velocity] : momentum_) {
    at::Tensor& gradient = parameters_[name].mutable_grad();
    // In the order in which the weight lies in memory, which is the same in all processes.
    const at::Tensor place = message_.as_strided(velocity.sizes(), velocity.strides(), first);
    if (gradient.defined()) place.copy_(gradient);
    gradient = place;
    first += velocity.numel();
  }
}

void WeightUpdate::clear_gradients() {
  if (message_.defined()) {
    message_.zero_();
  } else {
    for (const auto& [name, velocity] : momentum_) parameters_[name].mutable_grad().reset();
  }
}

void WeightUpdate::sum_gradients(Processes& processes) {
  const at::NoGradGuard no_gradient;
  place_gradients();
  if (message_.defined()) processes.sum(message_);
}

void WeightUpdate::update_weights(const Lists& lists, double learning_rate, std::size_t step) {
  if (!lists.weights.empty()) {
    clip_gradients(lists.gradients);
    at::_foreach_mul_(lists.velocities, options_.momentum);
    at::_foreach_add_(lists.velocities, lists.gradients);
    at::_foreach_add_(lists.velocities, lists.weights, options_.weight_decay);
    at::_foreach_sub_(lists.weights, lists.velocities, learning_rate);
  }
  const double t = static_cast<double>(step);
  const double decay = std::min(options_.ema_decay, (1 + t) / (10 + t));
  follow(averages_, averaged_, 1 - decay);
}

void WeightUpdate::step(double learning_rate, std::size_t step) {
  const at::NoGradGuard no_gradient;
  const Lists lists = with_gradient();
  if (!scale_) {
    update_weights(lists, learning_rate, step);
  } else {
    // Whether gradients have overflowed is known on the device alone: the step is made, and undone there.
    std::vector<at::Tensor> changed, before;
    for (const std::vector<at::Tensor>& list : {lists.weights, lists.velocities, averages_})
      changed.insert(changed.end(), list.begin(), list.end());
    for (const at::Tensor& tensor : changed) before.push_back(tensor.detach().clone());
    scale_->unscale(lists.gradients);
    update_weights(lists, learning_rate, step);
    scale_->restore_after_overflow(changed, before);
    scale_->update();
  }
  clear_gradients();
}

void WeightUpdate::swap_average() {
  const at::NoGradGuard no_gradient;
  for (std::size_t i = 0; i < averages_.size(); ++i) {
    const at::Tensor kept = averaged_[i].detach().clone();
    averaged_[i].copy_(averages_[i]);
    averages_[i].copy_(kept);
  }
}

std::map<std::string, torch::Tensor> WeightUpdate::all_tensors() const {
  std::map<std::string, torch::Tensor> all;
  const auto add = [&all](const char* prefix, const std::map<std::string, torch::Tensor>& group) {
    for (const auto& [name, tensor] : group) all[prefix + name] = tensor;
  };
  add("weights.", parameters_);
  add("weights.", buffers_);
  add("momentum.", momentum_);
  add("average.", average_);
  if (scale_) add("loss_scale.", scale_->state());
  return all;
}

std::vector<SavedTensor> WeightUpdate::save() const {
  std::vector<SavedTensor> saved;
  for (const auto& [name, tensor] : all_tensors()) {
    const at::Tensor host = tensor.detach().to(at::kCPU, at::kFloat).contiguous();
    const float* const data = host.data_ptr<float>();
    saved.push_back({name, host.sizes().vec(), std::vector<float>(data, data + host.numel())});
  }
  return saved;
}

void WeightUpdate::load(const std::vector<SavedTensor>& tensors) {
  const at::NoGradGuard no_gradient;
  std::map<std::string, const SavedTensor*> by_name;
  for (const SavedTensor& tensor : tensors) by_name[tensor.name] = &tensor;
  for (const auto& [name, tensor] : all_tensors()) {
    const auto found = by_name.find(name);
    if (found == by_name.end()) throw Error("the checkpoint has no tensor \"" + name + "\"");
    const SavedTensor& saved = *found->second;
    if (!tensor.sizes().equals(saved.shape)) {
      throw Error("the checkpoint's tensor \"" + name + "\" has another shape than this network's");
    }
    tensor.copy_(at::from_blob(const_cast<float*>(saved.values.data()), saved.shape, at::kFloat));
  }
}

}  // namespace smearscope::training
