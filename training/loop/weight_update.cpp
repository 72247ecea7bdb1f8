#include "loop/weight_update.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

namespace smearscope::training {

WeightUpdate::WeightUpdate(FasterRcnn network, const Optimisation& options) : options_(options) {
  const at::NoGradGuard no_gradient;
  for (const auto& item : network->named_parameters()) {
    parameters_[item.key()] = item.value();
    if (item.value().requires_grad()) momentum_[item.key()] = at::zeros_like(item.value());
  }
  for (const auto& item : network->named_buffers()) buffers_[item.key()] = item.value();
  if (options.ema_decay > 0) {
    for (const auto* group : {&parameters_, &buffers_}) {
      for (const auto& [name, tensor] : *group) average_[name] = tensor.detach().clone();
    }
  }
}

void WeightUpdate::clip_gradients() {
  if (options_.gradient_clip <= 0) return;
  double squares = 0;
  for (const auto& [name, weight] : parameters_) {
    if (weight.grad().defined()) squares += std::pow(weight.grad().norm().item<double>(), 2);
  }
  const double factor = options_.gradient_clip / (std::sqrt(squares) + 1e-6);
  if (factor >= 1) return;
  for (const auto& [name, weight] : parameters_) {
    if (weight.grad().defined()) weight.grad().mul_(factor);
  }
}

void WeightUpdate::sum_gradients(Processes& processes) {
  const at::NoGradGuard no_gradient;
  std::vector<at::Tensor> flat;
  for (const auto& [name, velocity] : momentum_) {
    at::Tensor& gradient = parameters_[name].mutable_grad();
    if (!gradient.defined()) gradient = at::zeros_like(velocity);
    flat.push_back(gradient.flatten());
  }
  at::Tensor all = at::cat(flat);  // one message
  processes.sum(all);
  std::int64_t first = 0;
  for (const auto& [name, velocity] : momentum_) {
    at::Tensor& gradient = parameters_[name].mutable_grad();
    gradient.copy_(all.slice(0, first, first + gradient.numel()).view_as(gradient));
    first += gradient.numel();
  }
}

void WeightUpdate::step(double learning_rate, std::size_t step) {
  const at::NoGradGuard no_gradient;
  clip_gradients();
  for (auto& [name, velocity] : momentum_) {
    at::Tensor& weight = parameters_[name];
    if (!weight.grad().defined()) continue;
    velocity.mul_(options_.momentum).add_(weight.grad()).add_(weight, options_.weight_decay);
    weight.sub_(velocity, learning_rate);
    weight.mutable_grad().reset();
  }
  const double t = static_cast<double>(step);
  const double decay = std::min(options_.ema_decay, (1 + t) / (10 + t));
  for (auto& [name, average] : average_) {
    const auto parameter = parameters_.find(name);
    const at::Tensor& now = parameter != parameters_.end() ? parameter->second : buffers_[name];
    average.lerp_(now, 1 - decay);
  }
}

void WeightUpdate::swap_average() {
  const at::NoGradGuard no_gradient;
  for (auto& [name, average] : average_) {
    const auto parameter = parameters_.find(name);
    at::Tensor& now = parameter != parameters_.end() ? parameter->second : buffers_[name];
    const at::Tensor kept = now.detach().clone();
    now.copy_(average);
    average.copy_(kept);
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
