// What a training run wrote of its losses: train-log.csv (loop/progress.h).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "smearscope/error.h"

namespace smearscope::training {

struct LogRow {
  std::size_t step = 0, epoch = 0;   // steps done; the epoch they are in, from 1
  double loss = 0;                   // mean over the steps since the last row; the sum of the four
  double seconds = 0;                // since the run began
  std::optional<double> validation;  // loss on the validation part
};

// A last line that is still being written is left out. Throws Error, naming the file and the line, if it
// can't be read, has other columns, a number that is none, or steps that don't grow.
std::vector<LogRow> read_train_log(const std::string& file);

struct EpochLoss {
  std::size_t epoch = 0;
  double training = 0;  // mean over the epoch's steps
  std::optional<double> validation;
};
std::vector<EpochLoss> epoch_losses(const std::vector<LogRow>& log);

}  // namespace smearscope::training
