// What of one network's weights fits another.
#include <cmath>
#include <map>
#include <utility>

#include "import/network_weights.h"
#include "model/text.h"

namespace smearscope::checkpoint {
namespace {

// A part is taken whole or not at all, and only if the part was taken whose output it sees.
struct Part {
  const char* name;
  const char* prefix;  // of its tensors; the first part that fits is it
  int input;           // another part's place, -1: images
};
constexpr Part parts[] = {
    {"backbone", "backbone.body.", -1},     {"FPN", "backbone.fpn.", 0},
    {"RPN", "rpn.head.conv.", 1},           {"RPN predictor", "rpn.head.", 2},
    {"box head", "roi_heads.box_head.", 1}, {"box predictor", "roi_heads.box_predictor.", 4}};
constexpr std::size_t part_count = std::size(parts), box_predictor = 5;

std::size_t part_of(const std::string& tensor) {
  std::size_t part = 0;
  while (tensor.rfind(parts[part].prefix, 0) != 0) ++part;
  return part;
}

bool same_classes(const NetworkWeights& weights, const std::vector<std::string>& classes) {
  if (weights.classes.empty()) return weights.class_count == static_cast<int>(classes.size());
  return weights.classes == classes;
}

std::string two(const char* what, int there, int here) {
  if (there == here) return "";
  return std::string(" (") + what + " " + std::to_string(here) + ", not " + std::to_string(there) + ")";
}

// Why a part does not fit, where it does not follow from the part before it.
std::string reason(std::size_t part, const NetworkWeights& weights, const ModelInfo& info) {
  if (!weights.is_detector) return "";
  const Architecture& a = info.architecture;
  const int classes = static_cast<int>(info.classes.size());
  const int anchors = static_cast<int>(a.anchor_sizes[0].size() * a.anchor_ratios.size());
  switch (part) {
    case 1:
      return two("channels", weights.fpn_channels, a.fpn_channels);
    case 3:
      return two("anchors per place", weights.anchors_per_place, anchors);
    case 4:
      return two("width", weights.head_width, a.head_width);
    case box_predictor:
      return weights.class_count == classes ? " (other classes)"
                                            : two("classes", weights.class_count, classes);
    default:
      return "";
  }
}

// Which parts of `weights` the network of `info` can take.
std::vector<bool> fitting_parts(const NetworkWeights& weights, const ModelInfo& info) {
  std::map<std::string, const NamedWeights*> have;
  for (const NamedWeights& tensor : weights.tensors) have[tensor.name] = &tensor;
  std::vector<bool> fits(part_count, true);
  for (const TensorSpec& spec : expected_tensors(info.architecture, info.classes.size())) {
    const auto found = have.find(spec.name);
    if (found == have.end() || found->second->shape != spec.shape) fits[part_of(spec.name)] = false;
  }
  if (!same_classes(weights, info.classes)) fits[box_predictor] = false;
  for (std::size_t i = 0; i < part_count; ++i) {
    if (parts[i].input >= 0 && !fits[static_cast<std::size_t>(parts[i].input)]) fits[i] = false;
  }
  return fits;
}

// gain * (x - mean) / sqrt(variance + from) = gain * factor * (x - mean) / sqrt(variance + to)
void rescale_batch_norms(std::vector<NamedWeights>& tensors, double from, double to) {
  const std::string ending = ".running_var";
  std::map<std::string, NamedWeights*> by_name;
  for (NamedWeights& tensor : tensors) by_name[tensor.name] = &tensor;
  for (const auto& [name, variance] : by_name) {
    if (name.size() < ending.size() || name.compare(name.size() - ending.size(), ending.size(), ending) != 0)
      continue;
    std::vector<float>& gain = by_name.at(name.substr(0, name.size() - ending.size()) + ".weight")->values;
    for (std::size_t i = 0; i < gain.size(); ++i) {
      const double v = variance->values[i];
      gain[i] = static_cast<float>(gain[i] * std::sqrt((v + to) / (v + from)));
      if (std::isfinite(gain[i])) continue;
      throw Error("tensor " + quoted(name) + ": value " + std::to_string(i) + " is " + std::to_string(v) +
                  ", no variance to divide by");
    }
  }
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace

std::string InitialWeights::summary() const {
  if (remade.empty()) return "all weights taken";
  return "taken: " + joined(taken) + "; made anew with random values: " + joined(remade);
}

InitialWeights fit(NetworkWeights weights, const ModelInfo& info) {
  if (weights.backbone != info.architecture.backbone)
    throw Error("its backbone is a " + weights.backbone + ", but a " + info.architecture.backbone +
                " is wanted");
  const std::vector<bool> fits = fitting_parts(weights, info);
  InitialWeights initial;
  initial.notes = weights.notes;
  for (std::size_t i = 0; i < part_count; ++i) {
    const bool by_itself = parts[i].input < 0 || fits[static_cast<std::size_t>(parts[i].input)];
    if (fits[i]) {
      initial.taken.emplace_back(parts[i].name);
    } else {
      initial.remade.push_back(parts[i].name + (by_itself ? reason(i, weights, info) : ""));
    }
  }
  for (NamedWeights& tensor : weights.tensors) {
    if (fits[part_of(tensor.name)]) initial.tensors.push_back(std::move(tensor));
  }
  if (weights.batch_norm_eps != info.architecture.batch_norm_eps)
    rescale_batch_norms(initial.tensors, weights.batch_norm_eps, info.architecture.batch_norm_eps);
  return initial;
}

InitialWeights read_initial_weights(const std::string& path, const ModelInfo& info) {
  NetworkWeights weights = read_weights(path);
  try {
    return fit(std::move(weights), info);
  } catch (const Error& problem) {
    throw Error(path + ": " + problem.what());
  }
}

std::vector<TensorView> views_of(const std::vector<NamedWeights>& tensors) {
  std::vector<TensorView> views;
  for (const NamedWeights& t : tensors)
    views.push_back({t.name, DType::f32, t.shape, t.values.data(), t.values.size() * sizeof(float)});
  return views;
}

}  // namespace smearscope::checkpoint
