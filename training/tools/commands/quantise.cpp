#include <algorithm>
#include <iostream>
#include <random>

#include "corpus/image_io.h"
#include "corpus/progress.h"
#include "evaluate/corpus_part.h"
#include "evaluate/detect.h"
#include "evaluate/measure.h"
#include "smearscope/calibration.h"
#include "tools/commands.h"

namespace smearscope::training {
namespace {

const char* const help =
    "Usage: smearscope-train quantise --corpus DIR --model FILE --output FILE [options]\n"
    "\n"
    "Makes a model that runs in int8: its weights as 8-bit integers, and how large the activations of each "
    "layer\n"
    "get, measured by running it in f32 over images of the corpus.\n"
    "\n"
    "  --corpus DIR   corpus folder, of images that the model is meant for; labels are not looked at\n"
    "  --model FILE   the model, or the name of an installed one\n"
    "  --output FILE  the new model; may be the old one\n"
    "  --part NAME    train (default), val, test, or all for the images of no part\n"
    "  --images N     so many of its images, drawn at random; default 200\n"
    "  --seed N       of the draw; default 1\n"
    "  --threads N    default: all cores\n"
    "\n"
    "Metrics that the old file tells are left out: smearscope-train evaluate measures the new one.\n";

struct Options {
  std::string corpus, model, output, part = "train";
  std::size_t images = 200;
  std::uint64_t seed = 1;
  int threads = 0;
};

Options parse(const std::vector<std::string>& words) {
  Options o;
  take_options(words, {{"--corpus", [&](const std::string& v) { o.corpus = v; }},
                       {"--model", [&](const std::string& v) { o.model = v; }},
                       {"--output", [&](const std::string& v) { o.output = v; }},
                       {"--part", [&](const std::string& v) { o.part = v; }},
                       {"--images", [&](const std::string& v) { o.images = whole("--images", v, 1000000); }},
                       {"--seed", [&](const std::string& v) { o.seed = whole("--seed", v, UINT64_MAX); }},
                       {"--threads", [&](const std::string& v) {
                          o.threads = static_cast<int>(whole("--threads", v, 1024));
                        }}});
  require("--corpus", o.corpus);
  require("--model", o.model);
  require("--output", o.output);
  if (o.images == 0) throw Error("--images: at least 1");
  return o;
}

// Of the part's images, drawn without replacement.
std::vector<corpus::Image> draw(const Options& o) {
  std::vector<corpus::Image> images = read_images(o.corpus, o.part);
  std::mt19937_64 random(o.seed);
  const std::size_t count = std::min(o.images, images.size());
  for (std::size_t i = 0; i < count; ++i) std::swap(images[i], images[i + random() % (images.size() - i)]);
  images.resize(count);
  return images;
}

int run(const std::vector<std::string>& words) {
  const Options o = parse(words);
  const std::shared_ptr<const Model> model = load_model(o.model);
  check_can_be_written(o.output);
  const std::vector<corpus::Image> images = draw(o);
  Calibrator calibrator(model, o.threads);
  corpus::Progress progress("measuring activations", images.size());
  for (const corpus::Image& image : images) {
    const cv::Mat rgb = corpus::read_image(image.path);
    calibrator.observe(frame_of(rgb));
    progress.step();
  }
  ModelInfo info = model->info();
  info.activation_ranges = calibrator.ranges();
  info.metrics.clear();  // they were the old weights'
  write_model_as(o.output, info, *model, DType::i8);
  std::cout << o.output << ": written; weights as int8, ranges of " << info.activation_ranges.size()
            << " layers measured on " << images.size() << " images\n";
  return 0;
}

}  // namespace

const Command quantise_command{"quantise", "a model that runs in int8, measured on a corpus", help, run};

}  // namespace smearscope::training
