#include <filesystem>
#include <iostream>
#include <optional>
#include <utility>

#include "corpus/folder.h"
#include "import/network_weights.h"
#include "loop/regimen.h"
#include "network/initial_model.h"
#include "tools/commands.h"

namespace smearscope::training {
namespace {

const char* const help =
    "Usage: smearscope-train import CHECKPOINT --output MODEL [options]\n"
    "\n"
    "Makes a model file of a PyTorch checkpoint (.pth, .pt): torchvision's Faster R-CNN with a ResNet-18, 34 "
    "or\n"
    "50 and FPN, or one of these ResNets alone. Only tensors are read; nothing in the checkpoint is run.\n"
    "\n"
    "  --classes NAME,NAME,...  names of its classes, in order, without background. If they are not as many "
    "as\n"
    "                           the checkpoint has, the box predictor is made anew with random values\n"
    "  --corpus DIR             takes the names of this corpus\n"
    "  --regimen FILE           anchors, sizes, normalisation and thresholds; default: torchvision's\n"
    "  --set TABLE.KEY=VALUE    replaces one value of the regimen; may be given again\n"
    "  --batch-norm-eps E       that its batch norms compute with; default: 0 for torchvision's COCO_V1 "
    "weights,\n"
    "                           else 1e-5\n"
    "  --name TEXT              of the model, for people; default: the output's name\n"
    "  --licence TEXT           of weights and data\n"
    "  --seed N                 of the random values; default 1\n"
    "  --dtype f32|f16|bf16     of the model file's weights; default f32\n";

struct ImportOptions {
  std::string checkpoint, output, corpus, regimen, name, licence;
  std::vector<std::string> classes, overrides;
  std::optional<double> batch_norm_eps;
  std::uint64_t seed = 1;
  DType dtype = DType::f32;
};

std::vector<std::string> parts_of(const std::string& list) {
  std::vector<std::string> parts(1);
  for (const char c : list) {
    if (c == ',')
      parts.emplace_back();
    else
      parts.back() += c;
  }
  return parts;
}

ImportOptions parse(std::vector<std::string> words) {
  ImportOptions o;
  if (words.empty() || words.front().rfind("--", 0) == 0)
    throw Error("import needs a checkpoint; see smearscope-train import --help");
  o.checkpoint = words.front();
  words.erase(words.begin());
  take_options(words,
               {{"--output", [&](const std::string& v) { o.output = v; }},
                {"--classes", [&](const std::string& v) { o.classes = parts_of(v); }},
                {"--corpus", [&](const std::string& v) { o.corpus = v; }},
                {"--regimen", [&](const std::string& v) { o.regimen = v; }},
                {"--set", [&](const std::string& v) { o.overrides.push_back(v); }},
                {"--batch-norm-eps",
                 [&](const std::string& v) { o.batch_norm_eps = number("--batch-norm-eps", v, 0, 1); }},
                {"--name", [&](const std::string& v) { o.name = v; }},
                {"--licence", [&](const std::string& v) { o.licence = v; }},
                {"--seed", [&](const std::string& v) { o.seed = whole("--seed", v, UINT64_MAX); }},
                {"--dtype", [&](const std::string& v) { o.dtype = weights_dtype("--dtype", v); }}});
  require("--output", o.output);
  if (!o.classes.empty() && !o.corpus.empty())
    throw Error(std::string("--classes or --corpus, not both") + see_help);
  if (o.regimen.empty() && !o.overrides.empty()) throw Error(std::string("--set needs --regimen") + see_help);
  return o;
}

// The names that were asked for; else what the checkpoint tells. What is known of their kinds goes with them.
void choose_classes(const ImportOptions& o, const checkpoint::NetworkWeights& weights, ModelInfo& info) {
  if (!o.corpus.empty()) {
    const corpus::Corpus corpus = corpus::read_corpus(o.corpus);
    info.classes = corpus::class_names(corpus);
    for (const corpus::Class& c : corpus.classes) info.parents.push_back(c.parent);
    return;
  }
  info.classes = o.classes;
  if (info.classes.empty()) {
    if (!weights.is_detector)
      throw Error(o.checkpoint + ": tells no classes: name them with --classes or --corpus");
    info.classes = weights.classes;
  }
  if (info.classes.empty()) {
    for (int i = 1; i <= weights.class_count; ++i) info.classes.push_back("class-" + std::to_string(i));
  }
  if (info.classes == weights.classes) {
    info.parents = weights.parents;
    info.weak_classes = weights.weak_classes;
  }
}

// torchvision's constants, in the sizes of the checkpoint.
ModelInfo default_info(const ImportOptions& o, const checkpoint::NetworkWeights& weights) {
  ModelInfo info;
  Architecture& architecture = info.architecture;
  architecture.backbone = weights.backbone;
  if (!weights.is_detector) return info;
  architecture.fpn_channels = weights.fpn_channels;
  architecture.head_width = weights.head_width;
  if (static_cast<std::size_t>(weights.anchors_per_place) != architecture.anchor_ratios.size()) {
    throw Error(o.checkpoint + ": has " + std::to_string(weights.anchors_per_place) +
                " anchors per place, where torchvision's own have 3: say which with --regimen (anchor_sizes, "
                "anchor_ratios)");
  }
  return info;
}

ModelInfo make_info(const ImportOptions& o, const checkpoint::NetworkWeights& weights) {
  ModelInfo info;
  if (o.regimen.empty()) {
    info = default_info(o, weights);
  } else {
    info = read_regimen(o.regimen, o.overrides).info;
  }
  info.architecture.batch_norm_eps = weights.batch_norm_eps;  // so that no weight need be changed
  choose_classes(o, weights, info);
  info.licence = o.licence;
  info.name = o.name.empty() ? std::filesystem::path(o.output).stem().string() : o.name;
  info.created_by = "smearscope-train " SMEARSCOPE_VERSION;
  return info;
}

checkpoint::InitialWeights fit(const ImportOptions& o, checkpoint::NetworkWeights weights,
                               const ModelInfo& info) {
  // As many names as the checkpoint has classes are names for them.
  if (weights.class_count == static_cast<int>(info.classes.size())) weights.classes = info.classes;
  try {
    return checkpoint::fit(std::move(weights), info);
  } catch (const Error& problem) {
    throw Error(o.checkpoint + ": " + problem.what());
  }
}

int run(const std::vector<std::string>& words) {
  const ImportOptions o = parse(words);
  checkpoint::NetworkWeights weights = checkpoint::import_checkpoint(o.checkpoint, o.batch_norm_eps);
  std::vector<std::string> history = weights.notes;
  const std::string source =
      std::filesystem::path(o.checkpoint).filename().string() + ", SHA-256 " + weights.digest;
  ModelInfo info = make_info(o, weights);
  const checkpoint::InitialWeights initial = fit(o, std::move(weights), info);
  history.push_back(initial.summary());

  std::string text = "# imported from " + source + "\n";
  for (const std::string& line : history) {
    std::cout << o.checkpoint << ": " << line << "\n";
    text += "# " + line + "\n";
  }
  if (!o.regimen.empty())
    text +=
        "# anchors, sizes and thresholds of " + std::filesystem::path(o.regimen).filename().string() + "\n";
  info.regimen = text;
  write_initial_model(o.output, info, checkpoint::views_of(initial.tensors), o.seed, o.dtype);
  std::cout << o.output << ": written; " << info.classes.size() << " classes, " << info.classes.front()
            << " to " << info.classes.back() << "\n";
  return 0;
}

}  // namespace

const Command import_command{"import", "a PyTorch checkpoint in, a model file out", help, run};

}  // namespace smearscope::training
