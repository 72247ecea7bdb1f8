#include "evaluate/measure.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iostream>

namespace smearscope::training {
namespace {

void name_classes(const std::vector<std::string>& classes, const char* what) {
  if (classes.empty()) return;
  std::string names;
  for (const std::string& name : classes) names += (names.empty() ? "" : ", ") + name;
  std::cerr << "left out of all figures: " << names << " (" << what << ")\n";
}

}  // namespace

ClassMatch describe_run(const std::shared_ptr<const Model>& model, const ModelRun& run, CorpusPart& part,
                        Measured& measured) {
  measured.model = model;
  measured.through = run.through;
  measured.precision = run.precision;
  measured.thresholds = model->info().thresholds;
  measured.thresholds.score = run.score_threshold;
  if (run.max_detections) measured.thresholds.max_detections = *run.max_detections;
  ClassMatch classes = match_classes(model->info(), part);
  measured.unknown_to_corpus = classes.unknown_to_corpus;
  name_classes(classes.unknown_to_corpus, "the corpus has no such class");
  name_classes(classes.unknown_to_model, "the model has no such class");
  return classes;
}

void run_model(const std::shared_ptr<const Model>& model, const ModelRun& run, const MakeFindCells& make,
               CorpusPart& part, Measured& measured) {
  const ClassMatch classes = describe_run(model, run, part, measured);
  find_cells(make(measured.thresholds), classes, part);
}

void run_through_engine(const std::shared_ptr<const Model>& model, ModelRun run,
                        const DetectorOptions& options, CorpusPart& part, Measured& measured) {
  const auto detector = std::make_shared<Detector>(model, options);
  run.through = "engine";
  run.precision = name_of(detector->options().precision);
  run_model(
      model, run, [&](const Thresholds& thresholds) { return through_engine(detector, thresholds); }, part,
      measured);
}

void compute_figures(Measured& measured) {
  const metrics::Data& data = measured.part->data;
  measured.as_complete = metrics::evaluate(data, metrics::Labels::as_complete, measured.count_threshold);
  measured.as_told = metrics::evaluate(data, metrics::Labels::as_told, measured.count_threshold);
}

std::shared_ptr<const Model> load_model(const std::string& name) {
  std::error_code ignored;
  return Model::load(std::filesystem::exists(name, ignored) ? name : find_model(name));
}

void check_can_be_written(const std::string& file) {
  const std::filesystem::path folder = std::filesystem::absolute(file).parent_path();
  const auto fail = [&](const std::string& why) { throw Error(file + ": cannot be written: " + why); };
  if (!std::filesystem::is_directory(folder)) fail("there is no folder " + folder.string());
  if (std::filesystem::exists(file) && !std::filesystem::is_regular_file(file))
    fail("it is not a regular file");
  if (::access(folder.c_str(), W_OK) != 0) fail(std::string(std::strerror(errno)));
}

}  // namespace smearscope::training
