// A model held to a corpus part, and the figures of it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "evaluate/detect.h"
#include "evaluate/measured.h"

namespace smearscope::training {

struct ModelRun {
  std::string through = "engine", precision = "f32";  // what computes, for the record
  double score_threshold = 0.001;     // detections above it take part; COCO's figures need the low ones
  std::optional<int> max_detections;  // an image; default the model's own
};
using MakeFindCells = std::function<FindCells(const Thresholds&)>;

// Fills part.data with what the model finds, and `measured` with what was run and how. Names on standard
// error the classes that only one of the two has. Throws Error as match_classes and find_cells do.
void run_model(const std::shared_ptr<const Model>& model, const ModelRun& run, const MakeFindCells& make,
               CorpusPart& part, Measured& measured);

// The same through the engine, as `options` say.
void run_through_engine(const std::shared_ptr<const Model>& model, ModelRun run,
                        const DetectorOptions& options, CorpusPart& part, Measured& measured);

// The same for detections that were kept: all but the detections themselves.
ClassMatch describe_run(const std::shared_ptr<const Model>& model, const ModelRun& run, CorpusPart& part,
                        Measured& measured);

// Both sets of figures, from the detections in measured.part.
void compute_figures(Measured& measured);

// A path if there is such a file, else the name of an installed model. Throws Error as Model::load does.
std::shared_ptr<const Model> load_model(const std::string& name);

// Throws Error now, not after the work, if `file` couldn't be written.
void check_can_be_written(const std::string& file);

}  // namespace smearscope::training
