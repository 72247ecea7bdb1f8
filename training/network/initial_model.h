// A model that is yet to be trained; no LibTorch here.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "smearscope/model.h"

namespace smearscope::training {

// Writes a model file of `info` with `tensors` in it and, for all others, torchvision's initial values drawn
// with `seed`; weights as f32, f16 or bf16. Throws smearscope::Error if a tensor doesn't fit or the file
// can't be written.
void write_initial_model(const std::string& path, const ModelInfo& info,
                         const std::vector<TensorView>& tensors, std::uint64_t seed, DType dtype);

}  // namespace smearscope::training
