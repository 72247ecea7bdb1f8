#include "report/kept_evaluation.h"

#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "evaluate/coco_results.h"
#include "evaluate/json_report.h"
#include "evaluate/measure.h"
#include "model/file_writer.h"

namespace smearscope::training {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct Files {
  std::string evaluation, results;
};

Files files_of(const Run& run, const std::string& part, const std::string& other_folder) {
  const fs::path folder = run.folder.empty() ? other_folder : run.folder;
  const std::string mark = run.folder.empty() ? run.model->digest().substr(0, 12) + "-" + part : part;
  return {(folder / ("evaluation-" + mark + ".json")).string(),
          (folder / ("results-" + mark + ".json")).string()};
}

std::size_t count_of_detections(const CorpusPart& part) {
  std::size_t count = 0;
  for (const metrics::Image& image : part.data.images) count += image.found.size();
  return count;
}

// What computed the detections and how many they are, if the evaluation is the one that is asked for.
struct Kept {
  std::string through, precision;
  std::size_t detections = 0;
};
std::optional<Kept> read_kept(const std::string& file, const Run& run, const std::string& part,
                              const MeasureOptions& options, const ModelRun& wanted) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return {};
  try {
    const json document = json::parse(in);
    const json& settings = document.at("settings");
    const Thresholds& own = run.model->info().thresholds;
    const bool same = document.at("format") == "smearscope-evaluation" &&
                      document.at("version") == evaluation_format_version &&
                      document.at("model").at("sha256") == run.model->digest() &&
                      document.at("corpus").at("sha256") == options.corpus_digest &&
                      document.at("corpus").at("part") == part &&
                      settings.at("score_threshold") == wanted.score_threshold &&
                      settings.at("nms_threshold") == own.nms &&
                      settings.at("max_detections") == own.max_detections;
    if (!same) return {};
    Kept kept{settings.at("through").get<std::string>(), settings.value("precision", "f32"), 0};
    for (const json& of_class : document.at("coco").at("classes"))
      kept.detections += of_class.at("detections").get<std::size_t>();
    return kept;
  } catch (const json::exception&) {  // another program's file, or a broken one
    return {};
  }
}

// False, with the part as it was, if the results are not those of the evaluation.
bool read_kept_results(const std::string& file, std::size_t detections, CorpusPart& part) {
  try {
    read_results(file, part);
    if (count_of_detections(part) == detections) return true;
  } catch (const Error&) {  // is made anew
  }
  for (metrics::Image& image : part.data.images) image.found.clear();
  return false;
}

}  // namespace

void measure(Run& run, const CorpusPart& part, const MeasureOptions& options) {
  run.part = std::make_shared<CorpusPart>(part);
  Measured& measured = run.measured;
  measured.part = run.part.get();
  measured.corpus = options.corpus;
  measured.corpus_digest = options.corpus_digest;
  measured.count_threshold = options.count_threshold;
  ModelRun wanted;
  const Files files = files_of(run, part.name, options.folder);
  const std::optional<Kept> kept = read_kept(files.evaluation, run, part.name, options, wanted);
  if (kept && read_kept_results(files.results, kept->detections, *run.part)) {
    std::cerr << run.name << ": measured before, " << files.results << "\n";
    wanted.through = kept->through;
    wanted.precision = kept->precision;
    describe_run(run.model, wanted, *run.part, measured);
    compute_figures(measured);
    return;
  }
  std::cerr << run.name << ": looking for cells in " << part.images.size() << " images\n";
  for (const std::string& file : {files.results, files.evaluation}) check_can_be_written(file);
  DetectorOptions engine;
  engine.precision = Precision::automatic;
  engine.threads = options.threads;
  run_through_engine(run.model, wanted, engine, *run.part, measured);
  compute_figures(measured);
  for (const auto& [file, text] : {std::pair{files.results, results_json(*run.part)},
                                   std::pair{files.evaluation, json_report(measured)}})
    replace_file(file, {{text.data(), text.size()}});
}

}  // namespace smearscope::training
