#include <ATen/ATen.h>

#include <algorithm>

#include "network/faster_rcnn.h"
#include "network/initial_model.h"

namespace smearscope::training {

namespace {

// Every parameter and buffer by its state-dict name.
std::map<std::string, at::Tensor> tensors_of(const FasterRcnn& network) {
  std::map<std::string, at::Tensor> tensors;
  for (const auto& item : network->named_parameters()) tensors[item.key()] = item.value();
  for (const auto& item : network->named_buffers()) tensors[item.key()] = item.value();
  return tensors;
}

std::string shape_text(at::IntArrayRef shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

at::ScalarType scalar_type(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return at::kFloat;
    case DType::f16:
      return at::kHalf;
    case DType::bf16:
      return at::kBFloat16;
    case DType::i8:
      break;
  }
  throw Error("a trained model is saved as f32, f16 or bf16, not as int8: convert the saved file with smearscope-model");
}

}  // namespace

void load_tensors(FasterRcnn& network, const std::vector<TensorView>& given) {
  const at::NoGradGuard no_gradient;
  auto tensors = tensors_of(network);
  for (const TensorView& view : given) {  // all checked before the first is changed
    const auto found = tensors.find(view.name);
    if (found == tensors.end()) throw Error("tensor \"" + view.name + "\" has no place in this architecture");
    if (!found->second.sizes().equals(view.shape)) {
      throw Error("tensor \"" + view.name + "\" is " + shape_text(view.shape) + ", expected " +
                  shape_text(found->second.sizes()));
    }
  }
  for (const TensorView& view : given) {
    std::vector<float> values = to_f32(view);
    tensors[view.name].copy_(at::from_blob(values.data(), view.shape, at::kFloat));
  }
}

void load_weights(FasterRcnn& network, const Model& model) {
  for (const auto& item : tensors_of(network)) {
    if (!model.find(item.first)) {
      throw Error(model.path() + ": has no tensor \"" + item.first + "\", which this architecture needs");
    }
  }
  try {
    load_tensors(network, model.tensors());
  } catch (const Error& problem) {
    throw Error(model.path() + ": " + problem.what());
  }
}

void save_model(const FasterRcnn& network, const ModelInfo& info, const std::string& path, DType dtype) {
  const at::NoGradGuard no_gradient;
  const at::ScalarType type = scalar_type(dtype);
  const auto tensors = tensors_of(network);
  std::vector<at::Tensor> stored;  // owns what the views point to
  std::vector<TensorView> views;
  for (const TensorSpec& spec : expected_tensors(info.architecture, info.classes.size())) {
    const auto found = tensors.find(spec.name);
    if (found == tensors.end() || !found->second.sizes().equals(spec.shape)) {
      throw Error(path + ": the network has no tensor \"" + spec.name + "\" of shape " +
                  shape_text(spec.shape));
    }
    // Biases and batch norm are small, and half precision would hurt them most: they stay f32.
    const bool narrow = spec.shape.size() > 1;
    const at::Tensor tensor = found->second.to(at::kCPU, narrow ? type : at::kFloat).contiguous();
    if (!tensor.isfinite().all().item<bool>()) {
      throw Error(path + ": tensor \"" + spec.name + "\" is not finite as " + name_of(dtype) +
                  "; nothing was written");
    }
    stored.push_back(tensor);
    views.push_back({spec.name, narrow ? dtype : DType::f32, spec.shape, tensor.data_ptr(), tensor.nbytes()});
  }
  write_model(path, info, views);
}

void write_initial_model(const std::string& path, const ModelInfo& info,
                         const std::vector<TensorView>& tensors, std::uint64_t seed, DType dtype) {
  at::manual_seed(seed);
  FasterRcnn network(info);
  load_tensors(network, tensors);
  save_model(network, info, path, dtype);
}

}  // namespace smearscope::training
