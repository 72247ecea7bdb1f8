// A training run as a report takes it: what was trained, how, and what its model finds in a corpus part.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "evaluate/measured.h"
#include "report/train_log.h"

namespace smearscope::training {

struct Setting {
  std::string key, value;  // "training.epochs", "25"
};

struct Run {
  std::string name;    // of its folder, or the whole path where two are called the same
  std::string folder;  // of train; "" where only a model file was given
  std::shared_ptr<const Model> model;
  std::vector<Setting> settings;  // model, course of the run, then the regimen's keys by name
  std::vector<LogRow> log;        // empty where there is none
  std::shared_ptr<CorpusPart>
      part;           // with what the model finds; its images and boxes are the same in all runs
  Measured measured;  // of that part

  // Figures in which labels that may be missing do no harm (metrics/boxes.h).
  const metrics::Figures& told() const { return measured.as_told; }
};

// `paths`: output folders of train (model.safetensors, and train-log.csv if it is there), model files, or
// names of installed models. Nothing is measured yet. Throws Error, naming the file, if a folder has no
// model, a file is no model or no log, or a path is there twice.
std::vector<Run> read_runs(const std::vector<std::string>& paths);

}  // namespace smearscope::training
