#include <algorithm>
#include <iostream>
#include <optional>

#include "corpus/folder.h"
#include "evaluate/coco_results.h"
#include "evaluate/json_report.h"
#include "evaluate/measure.h"
#include "evaluate/tables.h"
#include "model/file_writer.h"
#include "tools/commands.h"

namespace smearscope::training {
namespace {

const char* const help =
    "Usage: smearscope-train evaluate --corpus DIR (--model FILE | --detections FILE) [options]\n"
    "\n"
    "  --corpus DIR         corpus folder (smearscope-corpus makes one)\n"
    "  --model FILE         model to run over its images; or the name of an installed one\n"
    "  --detections FILE    COCO results to measure instead of a model's, as smearscope-detect "
    "--coco-results or\n"
    "                       --results writes them\n"
    "  --part NAME          train, val, test, or all for the images of no part; default val\n"
    "  --through WHAT       engine: what streams (default); libtorch: the network that is trained\n"
    "  --device cpu|cuda[:N]  default cpu\n"
    "  --precision P        of the engine: f32, f16, bf16, int8, or auto: as it streams on that device "
    "(default)\n"
    "  --score-threshold T  detections above it take part; default 0.001\n"
    "  --max-detections N   an image; default the model's own\n"
    "  --count-threshold T  detections above it are cells in counts and in the confusion matrix; default "
    "0.5\n"
    "  --threads N          default: all cores\n"
    "  --json FILE          gets all figures (docs/results-format.md)\n"
    "  --results FILE       gets the detections as COCO results\n"
    "\n"
    "Figures are COCO's, as pycocotools computes them. Where the corpus says that labels may be missing, "
    "there\n"
    "are federated figures, too: a detection there is neither right nor wrong.\n";

struct Options {
  std::string corpus, model, detections, json, results;
  std::string part = "val", through = "engine";
  std::optional<std::string> device;
  std::optional<Precision> precision;
  double score_threshold = 0.001, count_threshold = 0.5;
  std::optional<int> max_detections;
  int threads = 0;
};

Options parse(const std::vector<std::string>& words) {
  Options o;
  const auto count = [](const char* option, const std::string& v, std::uint64_t high) {
    return static_cast<int>(whole(option, v, high));
  };
  const OptionTakers takers{
      {"--corpus", [&](const std::string& v) { o.corpus = v; }},
      {"--model", [&](const std::string& v) { o.model = v; }},
      {"--detections", [&](const std::string& v) { o.detections = v; }},
      {"--part", [&](const std::string& v) { o.part = v; }},
      {"--through", [&](const std::string& v) { o.through = v; }},
      {"--device", [&](const std::string& v) { o.device = v; }},
      {"--precision", [&](const std::string& v) { o.precision = parse_precision(v); }},
      {"--score-threshold",
       [&](const std::string& v) { o.score_threshold = number("--score-threshold", v, 0, 1); }},
      {"--count-threshold",
       [&](const std::string& v) { o.count_threshold = number("--count-threshold", v, 0, 1); }},
      {"--max-detections",
       [&](const std::string& v) { o.max_detections = count("--max-detections", v, 100000); }},
      {"--threads", [&](const std::string& v) { o.threads = count("--threads", v, 1024); }},
      {"--json", [&](const std::string& v) { o.json = v; }},
      {"--results", [&](const std::string& v) { o.results = v; }},
  };
  take_options(words, takers);
  require("--corpus", o.corpus);
  if (o.model.empty() == o.detections.empty())
    throw Error(std::string("give either --model or --detections") + see_help);
  if (o.through != "engine" && o.through != "libtorch")
    throw Error("--through: '" + o.through + "' is not engine or libtorch");
  if (o.model.empty() && (o.device || o.precision))
    throw Error(std::string("--device and --precision are for --model: detections are read as they are") +
                see_help);
  if (o.through == "libtorch" && o.precision && *o.precision != Precision::f32)
    throw Error(std::string("--precision ") + name_of(*o.precision) + ": is for --through engine");
  if (o.max_detections == 0) throw Error("--max-detections: at least 1");
  return o;
}

// COCO's limit on detections is one on recall where an image has more cells than that.
void name_crowded_images(const CorpusPart& part) {
  constexpr auto limit = static_cast<std::ptrdiff_t>(metrics::detection_limits.back());
  const auto is_full = [&](const metrics::Image& image) {
    for (std::size_t c = 0; c < part.data.categories.size(); ++c) {
      const auto boxes =
          std::count_if(image.truth.begin(), image.truth.end(),
                        [&](const metrics::TruthBox& box) { return box.category == static_cast<int>(c); });
      if (boxes > limit) return true;
    }
    return false;
  };
  const auto images = std::count_if(part.data.images.begin(), part.data.images.end(), is_full);
  if (images == 0) return;
  std::cerr << "images with more than " << limit << " boxes of a class: " << images
            << "; COCO's figures look at the " << limit
            << " best detections of a class in an image, so some of these boxes count as missed\n";
}

void print(const Measured& measured) {
  const CorpusPart& part = *measured.part;
  std::size_t found = 0;
  for (const metrics::Image& image : part.data.images) found += image.found.size();
  std::cout << part.images.size() << " images, " << part.boxes() << " boxes, " << found << " detections";
  if (measured.model)
    std::cout << ", through " << (measured.through == "engine" ? "the engine" : "LibTorch") << " in "
              << measured.precision;
  std::cout << "\n\n" << summary_table(measured) << "\n" << classes_table(measured);
  const std::string mistakes = mistakes_table(measured);
  if (!mistakes.empty()) std::cout << "\n" << mistakes;
}

void run(const Options& o, const std::shared_ptr<const Model>& model, CorpusPart& part, Measured& measured) {
  const ModelRun run{o.through, "f32", o.score_threshold, o.max_detections};
  if (o.through == "engine") {
    DetectorOptions options;
    options.device = Device::parse(o.device.value_or("cpu"));
    options.precision = o.precision.value_or(Precision::automatic);
    options.threads = o.threads;
    run_through_engine(model, run, options, part, measured);
    return;
  }
  const auto libtorch = [&](const Thresholds& thresholds) {
    return through_libtorch(model, thresholds, o.threads, o.device.value_or("cpu"));
  };
  run_model(model, run, libtorch, part, measured);
}

int run(const std::vector<std::string>& words) {
  const Options o = parse(words);
  for (const std::string& file : {o.json, o.results}) {
    if (!file.empty()) check_can_be_written(file);
  }
  CorpusPart part = read_part(o.corpus, o.part);
  name_crowded_images(part);
  Measured measured;
  measured.corpus = o.corpus;
  measured.detections = o.detections;
  measured.part = &part;
  measured.count_threshold = o.count_threshold;
  if (o.model.empty()) {
    read_results(o.detections, part);
  } else {
    run(o, load_model(o.model), part, measured);
  }
  compute_figures(measured);
  if (!o.json.empty()) measured.corpus_digest = corpus::digest_of(corpus::read_corpus(o.corpus));
  const auto write = [](const std::string& file, const std::string& text) {
    if (!file.empty()) replace_file(file, {{text.data(), text.size()}});
  };
  write(o.results, o.results.empty() ? "" : results_json(part));
  write(o.json, o.json.empty() ? "" : json_report(measured));
  print(measured);
  return 0;
}

}  // namespace

const Command evaluate_command{"evaluate", "a model or detections held to a corpus: COCO figures and more",
                               help, run};

}  // namespace smearscope::training
