// A plan on oneDNN: the convolutional part, compiled per input size, and the box head for any number of
// RoIs. Weights are packed once and shared by all shapes; all shapes share one arena for activations. Not
// thread-safe. All calls must run with the same number of OpenMP threads, on which primitives depend.
#pragma once

#include <dnnl.hpp>
#include <list>

#include "network/aligned_buffer.h"
#include "network/onednn_shape.h"
#include "network/plan.h"

namespace smearscope::network {

// A Linear as one primitive for any number of rows.
class OneDnnLinear {
 public:
  // Refers to `linear`.
  OneDnnLinear(const Linear& linear, const dnnl::engine& engine);

  // input [rows][in_features] -> [rows][out_features], valid until the next call.
  const float* run(const float* input, int rows, dnnl::stream& stream);

 private:
  const Linear& linear_;
  dnnl::engine engine_;
  dnnl::matmul::primitive_desc desc_;
  dnnl::matmul primitive_;
  dnnl::memory weights_, bias_, scratchpad_;
  AlignedBuffer output_;
};

class OneDnnNetwork {
 public:
  explicit OneDnnNetwork(Plan plan);

  // For one image of this size. Compiled on first use; the sizes used last are kept. Valid until the next
  // call.
  const CompiledShape& compiled(ops::Size padded);

  void run(const CompiledShape& shape, Stage stage) { shape.run(stage, stream_); }

  // [count][7][7][channels] -> [count][5 (classes + 1)], valid until the next call.
  const float* box_head(const float* rois, int count);

  const Plan& plan() const { return plan_; }

 private:
  Plan plan_;
  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  dnnl::memory::format_tag layout_ = preferred_layout(engine_);
  PackedWeights weights_;
  AlignedBuffer arena_;
  std::list<CompiledShape> shapes_;  // used last first
  OneDnnLinear fc6_, fc7_, predictor_;
};

}  // namespace smearscope::network
