#include "import/network_weights.h"

#include <array>
#include <sstream>
#include <utility>

#include "import/checkpoint_file.h"
#include "import/recognise.h"
#include "import/state_dict.h"
#include "model/input_file.h"
#include "model/tensor_values.h"
#include "model/text.h"

namespace smearscope::checkpoint {
namespace {

// fasterrcnn_resnet50_fpn_coco-258fb6c6.pth; the digits are the beginning of its SHA-256.
constexpr const char* coco_v1_digest = "258fb6c6";
constexpr int coco_slots = 90;

std::string shown(double value) {
  std::ostringstream text;
  text << value;
  return text.str();
}

std::vector<float> finite_values(CheckpointFile& file, const std::string& name, const Tensor& tensor) {
  std::vector<float> values;
  try {
    values = file.values(tensor);
  } catch (const Error& problem) {
    throw Error("tensor " + quoted(name) + ": " + problem.what());
  }
  check_finite({name, DType::f32, tensor.shape, values.data(), values.size() * sizeof(float)});
  return values;
}

// torchvision builds its published detector, and what is trained on from it, with FrozenBatchNorm2d of eps 0
// (models/detection/faster_rcnn.py, overwrite_eps); frozen ones of ImageNet's backbones have 1e-5.
bool looks_like_coco_v1(const NetworkWeights& weights) {
  const bool same_file = weights.digest.compare(0, std::string(coco_v1_digest).size(), coco_v1_digest) == 0;
  return same_file || weights.class_count == coco_slots;
}

void decide_epsilon(NetworkWeights& weights, bool frozen, std::optional<double> given) {
  if (given) {
    weights.batch_norm_eps = *given;
    return;
  }
  if (!frozen || weights.backbone != "resnet50") return;
  const bool coco = looks_like_coco_v1(weights);
  weights.batch_norm_eps = coco ? 0 : 1e-5;
  weights.notes.push_back(
      "frozen batch norms, taken to compute with epsilon " + shown(weights.batch_norm_eps) +
      (coco ? " as torchvision's COCO_V1 weights do; import --batch-norm-eps says otherwise"
            : "; if they come from torchvision's COCO_V1 weights, import with --batch-norm-eps 0"));
}

void describe(NetworkWeights& weights, const StateDict& dict) {
  std::string line = weights.backbone;
  if (weights.is_detector) {
    line = "Faster R-CNN, " + line + ", FPN of " + std::to_string(weights.fpn_channels) + ", box head of " +
           std::to_string(weights.head_width) + ", " + std::to_string(weights.class_count) + " classes";
  } else {
    line += ", a backbone alone";
  }
  if (!dict.entry.empty()) line += "; found under " + quoted(dict.entry);
  weights.notes.insert(weights.notes.begin(), line);
}

NetworkWeights from_checkpoint(CheckpointFile& file, std::optional<double> batch_norm_eps) {
  const StateDict dict = find_state_dict(file.pickle());
  Shapes shapes;
  for (const auto& [name, tensor] : dict.tensors) shapes.emplace(name, tensor->shape);
  const Layout layout = recognise(shapes);
  NetworkWeights weights;
  weights.backbone = layout.backbone;
  weights.is_detector = layout.is_detector;
  weights.fpn_channels = layout.fpn_channels;
  weights.head_width = layout.head_width;
  weights.anchors_per_place = layout.anchors_per_place;
  weights.class_count = layout.class_count;
  if (weights.class_count == coco_slots) weights.classes = coco_classes();
  weights.digest = file.digest();
  decide_epsilon(weights, layout.frozen_batch_norm, batch_norm_eps);
  describe(weights, dict);
  const std::string prefix = layout.is_detector ? "" : "backbone.body.";
  for (const TensorSpec& spec : needed_tensors(layout))
    weights.tensors.push_back(
        {prefix + spec.name, spec.shape, finite_values(file, spec.name, *dict.tensors.at(spec.name))});
  return weights;
}

NetworkWeights from_model(const Model& model) {
  const ModelInfo& info = model.info();
  const Architecture& architecture = info.architecture;
  NetworkWeights weights;
  weights.backbone = architecture.backbone;
  weights.is_detector = true;
  weights.fpn_channels = architecture.fpn_channels;
  weights.head_width = architecture.head_width;
  weights.anchors_per_place =
      static_cast<int>(architecture.anchor_sizes[0].size() * architecture.anchor_ratios.size());
  weights.class_count = static_cast<int>(info.classes.size());
  weights.classes = info.classes;
  weights.parents = info.parents;
  weights.weak_classes = info.weak_classes;
  weights.batch_norm_eps = architecture.batch_norm_eps;
  for (const TensorView& tensor : model.tensors())
    weights.tensors.push_back({tensor.name, tensor.shape, to_f32(tensor)});
  return weights;
}

// By its first bytes; what can't be read or is neither is left to Model::load to complain about.
bool is_checkpoint(const std::string& path) {
  std::array<char, 9> start{};
  try {
    InputFile file(path);
    file.read(start.data(), start.size());
  } catch (const Error&) {
    return false;
  }
  const bool is_safetensors = start[8] == '{';
  return !is_safetensors && (start[0] == '\x80' || (start[0] == 'P' && start[1] == 'K'));
}

}  // namespace

NetworkWeights import_checkpoint(const std::string& path, std::optional<double> batch_norm_eps) {
  try {
    CheckpointFile file(read_whole_file(path));
    return from_checkpoint(file, batch_norm_eps);
  } catch (const Error& problem) {
    throw Error(path + ": " + problem.what());
  }
}

NetworkWeights read_weights(const std::string& path) {
  return is_checkpoint(path) ? import_checkpoint(path) : from_model(*Model::load(path));
}

}  // namespace smearscope::checkpoint
