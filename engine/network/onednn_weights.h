// Convolution weights in every layout that some oneDNN primitive asked for, shared by all input shapes.
#pragma once

#include <dnnl.hpp>
#include <vector>

#include "network/plan.h"

namespace smearscope::network {

class PackedWeights {
 public:
  // Refers to the biases of `convolutions`, and frees their weights once these are packed.
  PackedWeights(std::vector<Convolution>& convolutions, const dnnl::engine& engine);

  const dnnl::memory& weights(int convolution, const dnnl::memory::desc& wanted, dnnl::stream& stream);
  const dnnl::memory& bias(int convolution) const { return biases_[convolution]; }

 private:
  std::vector<Convolution>& convolutions_;
  dnnl::engine engine_;
  std::vector<std::vector<dnnl::memory>> copies_;  // per convolution; at first one, in the plan's own layout
  std::vector<dnnl::memory> biases_;
};

}  // namespace smearscope::network
