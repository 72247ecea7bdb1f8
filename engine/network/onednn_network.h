// A plan on oneDNN: the convolutional part, compiled per input size, and the box head for any number of
// RoIs. Weights are packed once and shared by all shapes; all shapes share one arena for activations. Not
// thread-safe. All calls must run with the same number of OpenMP threads, on which primitives depend.
#pragma once

#include <dnnl.hpp>
#include <list>

#include "network/aligned_buffer.h"
#include "network/backend.h"
#include "network/onednn_linear.h"
#include "network/onednn_shape.h"
#include "network/plan.h"

namespace smearscope::network {

class OneDnnNetwork {
 public:
  // f32, bf16, or int8 of a plan that misses no range. `observe` as for make_cpu_backend.
  OneDnnNetwork(Plan plan, Precision precision, Observer observe = nullptr);

  // For one image of this size. Compiled on first use; the sizes used last are kept. Valid until the next
  // call.
  const CompiledShape& compiled(ops::Size padded);

  void run(const CompiledShape& shape, Stage stage);

  // [count][7][7][channels] -> [count][5 (classes + 1)], valid until the next call.
  const float* box_head(const float* rois, int count);

  const Plan& plan() const { return plan_; }

 private:
  Plan plan_;
  const Precision precision_;
  const Observer observe_;
  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  dnnl::memory::format_tag layout_ = preferred_layout(precision_, engine_);
  PackedWeights weights_;
  AlignedBuffer arena_;
  std::list<CompiledShape> shapes_;  // used last first
  OneDnnLinear fc6_, fc7_, predictor_;
};

}  // namespace smearscope::network
