// The training run: corpora and a regimen in; model.safetensors, checkpoint.safetensors, train-log.csv,
// regimen.toml and TensorBoard's event file in the output folder out.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "loop/samples.h"
#include "smearscope/error.h"
#include "smearscope/model.h"

namespace smearscope::training {

struct TrainOptions {
  std::vector<CorpusChoice> corpora;
  std::string regimen;                 // file
  std::vector<std::string> overrides;  // "table.key=value"
  std::string output;                  // folder; made if it isn't there
  std::string init;                    // begin with what fits of this model file or PyTorch checkpoint
  std::uint64_t seed = 1;
  std::string device = "cpu";  // or "cuda", "cuda:N" (distributed/device_choice.h)
  int threads = 0;             // 0: all cores this process may use
  double max_minutes = 0;      // of this call; 0: no limit
  double checkpoint_minutes = 10;
  DType dtype = DType::f32;  // of the model file's weights
  bool resume = false;
};

enum class TrainEnd { finished, time_is_up, interrupted };

// Trains until the regimen's last epoch, max_minutes, or request_stop; saves a checkpoint and the model at
// each epoch's end and before returning. With `resume`, goes on from the output folder's checkpoint: the same
// weights, bit for bit, as without the interruption (same thread count and machine; on a GPU up to rounding,
// as cuDNN adds in any order). Throws Error: on anything wrong with device, corpora, regimen or output folder
// before the first step; on a loss that is not finite, naming the batch's images; on an image that can't be
// read; when another process of the run has ended. Files written before stay whole.
//
// Where the environment says that this is one of several processes (distributed/layout.h), waits for the
// others and trains with them as one: each takes its share of every batch of batch_size images, on a device
// of its own (distributed/device_choice.h). Process 0 alone writes; all end together.
TrainEnd train(const TrainOptions& options);

// Makes train return after the step that it is in. May be called from a signal handler.
void request_stop();

}  // namespace smearscope::training
