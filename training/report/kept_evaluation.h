// What a run's model finds in a corpus part: kept in files, so that the next report need not look again.
#pragma once

#include <string>

#include "evaluate/detect.h"
#include "report/run.h"

namespace smearscope::training {

struct MeasureOptions {
  std::string corpus;         // folder, as given
  std::string corpus_digest;  // of it
  double count_threshold = 0.5;
  int threads = 0;     // 0: all cores
  std::string folder;  // for the files of runs that are a model file only
};

// Fills run.part (from `part`, which has nothing found yet) and run.measured. The files are those that
// `evaluate --json evaluation-PART.json --results results-PART.json` writes, in the run's folder; they are
// taken where they are whole and were made of this model, corpus and part with the settings of a report
// (scores above 0.001, the model's own limit of detections), by whatever computed them. Otherwise the engine
// runs, and they are written anew. Throws Error as run_model, read_results and replace_file do.
void measure(Run& run, const CorpusPart& part, const MeasureOptions& options);

}  // namespace smearscope::training
