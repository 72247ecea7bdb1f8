// A Linear of the plan as one oneDNN primitive for any number of rows.
#pragma once

#include <dnnl.hpp>

#include "network/aligned_buffer.h"
#include "network/onednn_numbers.h"
#include "network/plan.h"

namespace smearscope::network {

class OneDnnLinear {
 public:
  // Refers to `linear`, and frees its weights where it keeps them as other numbers. int8 only where it has an
  // input range, else f32.
  OneDnnLinear(Linear& linear, Precision precision, const dnnl::engine& engine);

  // input [rows][in_features] -> [rows][out_features], valid until the next call.
  const float* run(const float* input, int rows, dnnl::stream& stream);

 private:
  void* converted(const float* input, int rows);

  const Linear& linear_;
  const NumberType type_;  // of the input
  dnnl::engine engine_;
  dnnl::memory weights_, bias_;
  dnnl::matmul::primitive_desc desc_;
  dnnl::matmul primitive_;
  dnnl::memory scratchpad_;
  AlignedBuffer input_, output_;
};

}  // namespace smearscope::network
