// Small models with random weights, for tests that need a model but no trained one.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "smearscope/model.h"

namespace smearscope::testing {

// ResNet-18 with an FPN of 16 channels and a head of 32, classes wbc, rbc, platelet, min side 128. The
// trunk's width is fixed by ResNet, so the file still has 22 MB in f16 and 45 MB in f32.
inline ModelInfo tiny_model_info(const std::string& backbone = "resnet18") {
  ModelInfo info;
  info.name = "tiny";
  info.architecture.backbone = backbone;
  info.architecture.fpn_channels = 16;
  info.architecture.head_width = 32;
  info.architecture.anchor_sizes = {{{8}, {16}, {32}, {64}, {128}}};
  info.classes = {"wbc", "rbc", "platelet"};
  info.transform.min_side = 128;
  info.transform.max_side = 224;
  return info;
}

// Tensors that own their values; views() stays valid as long as this does.
class RandomTensors {
 public:
  // Same info and seed: same values, on every machine.
  RandomTensors(const ModelInfo& info, std::uint64_t seed) : state_(seed * 2 + 1) {
    for (const TensorSpec& spec : expected_tensors(info.architecture, info.classes.size())) {
      std::size_t count = 1;
      for (const std::int64_t size : spec.shape) count *= static_cast<std::size_t>(size);
      names_.push_back(spec.name);
      shapes_.push_back(spec.shape);
      values_.emplace_back(count);
      fill(spec, values_.back());
    }
  }

  std::vector<TensorView> views() const {
    std::vector<TensorView> out;
    for (std::size_t i = 0; i < names_.size(); ++i) {
      out.push_back(
          {names_[i], DType::f32, shapes_[i], values_[i].data(), values_[i].size() * sizeof(float)});
    }
    return out;
  }

  // Values of one tensor, to be changed by a test. Aborts the test with an exception if there is no such
  // tensor.
  std::vector<float>& values(const std::string& name) {
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (names_[i] == name) return values_[i];
    }
    throw Error("no tensor " + name);
  }

 private:
  static bool ends_with(const std::string& text, const std::string& ending) {
    return text.size() >= ending.size() &&
           text.compare(text.size() - ending.size(), ending.size(), ending) == 0;
  }

  static bool contains(const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
  }

  // Uniform in lowest..highest (xorshift64*, Vigna 2016).
  float uniform(double lowest, double highest) {
    state_ ^= state_ >> 12U;
    state_ ^= state_ << 25U;
    state_ ^= state_ >> 27U;
    const std::uint64_t bits = (state_ * 0x2545F4914F6CDD1DULL) >> 40U;
    return static_cast<float>(lowest + (highest - lowest) * static_cast<double>(bits) / 16777216.0);
  }

  // Ranges that keep activations near unit variance through any depth, and give every tensor an influence on
  // the result: He-initialised convolutions, batch norms that differ from the identity, residual branches
  // scaled down.
  void fill(const TensorSpec& spec, std::vector<float>& values) {
    const std::string& name = spec.name;
    double lowest = -0.1, highest = 0.1;  // biases and running means
    if (ends_with(name, "running_var")) {
      lowest = 0.5, highest = 1.5;
    } else if (spec.shape.size() >= 2) {
      const double inputs = static_cast<double>(values.size()) / static_cast<double>(spec.shape[0]);
      const bool deltas = contains(name, "bbox_pred");
      const double gain = deltas ? 0.3 : contains(name, "backbone.body") || contains(name, "fc") ? 6 : 3;
      highest = std::sqrt(gain / inputs);
      lowest = -highest;
    } else if (ends_with(name, "weight")) {
      const bool residual = contains(name, "layer") && (contains(name, "bn2") || contains(name, "bn3"));
      lowest = residual ? 0.1 : 0.7, highest = residual ? 0.4 : 1.3;
    }
    for (float& value : values) value = uniform(lowest, highest);
  }

  std::uint64_t state_;
  std::vector<std::string> names_;
  std::vector<std::vector<std::int64_t>> shapes_;
  std::vector<std::vector<float>> values_;
};

inline void write_random_model(const std::string& path, const ModelInfo& info, std::uint64_t seed) {
  write_model(path, info, RandomTensors(info, seed).views());
}

}  // namespace smearscope::testing
