#include <algorithm>
#include <filesystem>
#include <iostream>

#include "corpus/folder.h"
#include "report/kept_evaluation.h"
#include "report/run_page.h"
#include "tools/commands.h"

namespace smearscope::training {
namespace {

namespace fs = std::filesystem;

const char* const help =
    "Usage: smearscope-train report RUN... --corpus DIR --output DIR [options]\n"
    "\n"
    "  RUN                  output folder of smearscope-train train; or a model file, or an installed model\n"
    "  --corpus DIR         corpus folder to measure the models on\n"
    "  --output DIR         gets report.html, which needs nothing else, and its charts and pictures as PNG "
    "files\n"
    "  --part NAME          train, val, test, or all for the images of no part; default val\n"
    "  --count-threshold T  detections above it are cells in counts, confusion, pictures; default 0.5\n"
    "  --threads N          default: all cores\n"
    "\n"
    "Changes are given against the first run. What a model finds is kept in its run's folder\n"
    "(evaluation-PART.json, results-PART.json; for a model file: in the output folder) and taken from there "
    "as\n"
    "long as model and corpus are the same.\n";

struct Options {
  std::vector<std::string> runs;
  std::string corpus, output, part = "val";
  double count_threshold = 0.5;
  int threads = 0;
};

Options parse(std::vector<std::string> words) {
  Options o;
  const auto first_option = std::find_if(words.begin(), words.end(),
                                         [](const std::string& word) { return word.rfind("--", 0) == 0; });
  o.runs.assign(words.begin(), first_option);
  words.erase(words.begin(), first_option);
  take_options(words,
               {{"--corpus", [&](const std::string& v) { o.corpus = v; }},
                {"--output", [&](const std::string& v) { o.output = v; }},
                {"--part", [&](const std::string& v) { o.part = v; }},
                {"--count-threshold",
                 [&](const std::string& v) { o.count_threshold = number("--count-threshold", v, 0, 1); }},
                {"--threads",
                 [&](const std::string& v) { o.threads = static_cast<int>(whole("--threads", v, 1024)); }}});
  if (o.runs.empty())
    throw Error(std::string("name the runs first: report RUN... --corpus DIR --output DIR") + see_help);
  require("--corpus", o.corpus);
  require("--output", o.output);
  return o;
}

void make_folder(const std::string& folder) {
  std::error_code failure;
  fs::create_directories(folder, failure);
  if (!fs::is_directory(folder))
    throw Error(folder + ": cannot be made a folder" + (failure ? ": " + failure.message() : ""));
}

std::vector<std::size_t> boxes_to_train(const corpus::Corpus& corpus) {
  if (corpus::count_of_part(corpus, "train") == 0) return {};
  std::vector<std::size_t> boxes(corpus.classes.size());
  for (const corpus::Image& image : corpus.images) {
    if (image.part != "train") continue;
    for (const corpus::Annotation& a : image.annotations) ++boxes[static_cast<std::size_t>(a.category)];
  }
  return boxes;
}

int run(const std::vector<std::string>& words) {
  const Options o = parse(words);
  ReportData data;
  data.runs = read_runs(o.runs);
  const CorpusPart part = read_part(o.corpus, o.part);
  const corpus::Corpus corpus = corpus::read_corpus(o.corpus);
  data.corpus = o.corpus;
  data.corpus_digest = corpus::digest_of(corpus);
  data.train_boxes = boxes_to_train(corpus);
  make_folder(o.output);
  for (Run& each : data.runs)
    measure(each, part, {o.corpus, data.corpus_digest, o.count_threshold, o.threads, o.output});
  write_report(o.output, report_files(data));
  std::cout << (fs::path(o.output) / "report.html").string() << "\n";
  return 0;
}

}  // namespace

const Command report_command{"report", "runs compared: tables, curves and pictures in one HTML page", help,
                             run};

}  // namespace smearscope::training
