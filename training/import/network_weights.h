// The weights of a detector or of a backbone, from a PyTorch checkpoint or from a model file, and what of
// them fits another network.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "smearscope/model.h"

namespace smearscope::checkpoint {

struct NamedWeights {
  std::string name;  // as in expected_tensors
  std::vector<std::int64_t> shape;
  std::vector<float> values;  // finite
};

struct NetworkWeights {
  std::string backbone;  // resnet18, resnet34 or resnet50
  bool is_detector = false;
  // Of a detector:
  int fpn_channels = 0;
  int head_width = 0;
  int anchors_per_place = 0;
  int class_count = 0;                    // without background
  std::vector<std::string> classes;       // their names; empty: the file doesn't tell
  std::vector<int> parents;               // as ModelInfo's
  std::vector<std::string> weak_classes;  // likewise
  double batch_norm_eps = 1e-5;           // that the network computes with
  std::vector<std::string> notes;         // lines for the user: what was found, what was taken for granted
  std::string digest;                     // SHA-256 of a checkpoint; of a model file empty
  std::vector<NamedWeights> tensors;
};

// Reads a file of torch.save (checkpoint_file.h, recognise.h). A checkpoint doesn't say with which epsilon
// its batch norms compute: `batch_norm_eps` does, or it is 0 for torchvision's COCO_V1 weights and 1e-5 for
// all others. Throws Error, beginning with the path.
NetworkWeights import_checkpoint(const std::string& path, std::optional<double> batch_norm_eps = {});

// Reads either a checkpoint or a model file, whichever it is. Throws Error, beginning with the path.
NetworkWeights read_weights(const std::string& path);

// What a network begins with.
struct InitialWeights {
  std::vector<NamedWeights> tensors;  // of the parts taken
  std::vector<std::string> taken;     // "backbone", "FPN", "RPN", ...
  std::vector<std::string> remade;    // and why: "box predictor (classes 3, not 90)"
  std::vector<std::string> notes;     // of NetworkWeights
  std::string summary() const;        // one line
};

// The parts of `weights` whose tensors all have the names and shapes that a network of `info` needs. The box
// predictor is taken if the classes are the same, or as many where their names aren't known. Batch norms of
// another epsilon are rescaled, in double precision, so that they compute the same with the one of `info`.
// Throws Error if the backbones differ.
InitialWeights fit(NetworkWeights weights, const ModelInfo& info);

// Both; Error begins with the path.
InitialWeights read_initial_weights(const std::string& path, const ModelInfo& info);

std::vector<TensorView> views_of(const std::vector<NamedWeights>& tensors);  // valid as long as `tensors`

// COCO's names of the 90 slots of torchvision's detectors (models/_meta.py); the ten unused ones are "N/A-12"
// and so on.
std::vector<std::string> coco_classes();

}  // namespace smearscope::checkpoint
