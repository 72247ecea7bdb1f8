// Where a training run stands, on disk: a safetensors file (f32 tensors, position in its metadata). Plain
// data: reading one runs no code.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "smearscope/error.h"

namespace smearscope::training {

struct SavedTensor {
  std::string
      name;  // "weights.", "momentum." or "average." and the state-dict name, or "loss_scale." and its own
  std::vector<std::int64_t> shape;
  std::vector<float> values;
};

struct Checkpoint {
  std::uint64_t seed = 0;
  std::uint64_t step = 0;                                            // steps done
  double seconds = 0;                                                // spent so far
  double best_validation = std::numeric_limits<double>::infinity();  // lowest validation loss so far
  std::uint64_t worse_validations = 0;                               // since then
  // A run goes on only with the regimen and the data that it was begun with.
  std::string regimen;        // Regimen::text
  std::string corpus_digest;  // Samples::digest_with_tree
  std::vector<SavedTensor> tensors;
};

// Whole or not at all. Throws Error.
void write_checkpoint(const std::string& path, const Checkpoint& checkpoint);
// Throws Error naming the file and what is wrong with it.
Checkpoint read_checkpoint(const std::string& path);

}  // namespace smearscope::training
