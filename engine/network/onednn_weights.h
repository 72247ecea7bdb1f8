// Convolution weights in every layout that some oneDNN primitive asked for, shared by all input shapes.
#pragma once

#include <dnnl.hpp>
#include <vector>

#include "network/plan.h"
#include "smearscope/detector.h"

namespace smearscope::network {

class PackedWeights {
 public:
  // Refers to the biases of `convolutions`, and frees their weights once these are packed. For int8 a plain
  // copy of a quarter of their size stays, from which each layout is packed: one packed for signed inputs
  // holds more.
  PackedWeights(std::vector<Convolution>& convolutions, Precision precision, const dnnl::engine& engine);

  const dnnl::memory& weights(int convolution, const dnnl::memory::desc& wanted, dnnl::stream& stream);
  const dnnl::memory& bias(int convolution) const { return biases_[convolution]; }

  // Of int8 weights, one per output channel: weight = number * scale. Else empty.
  const std::vector<float>& scales(int convolution) const { return scales_[convolution]; }

 private:
  void quantise_all();

  std::vector<Convolution>& convolutions_;
  dnnl::engine engine_;
  std::vector<std::vector<dnnl::memory>> copies_;  // per convolution; at first one, in the plan's own layout
  std::vector<dnnl::memory> biases_;
  std::vector<std::vector<float>> scales_;
};

}  // namespace smearscope::network
