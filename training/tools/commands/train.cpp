#include <signal.h>

#include <iostream>

#include "loop/trainer.h"
#include "tools/commands.h"

namespace smearscope::training {
namespace {

const char* const help =
    "Usage: smearscope-train train --corpus DIR[:WEIGHT] --regimen FILE --output DIR [options]\n"
    "\n"
    "  --corpus DIR[:WEIGHT]   corpus folder (smearscope-corpus makes one); may be given again; each of its\n"
    "                          images is seen WEIGHT times per epoch (default 1)\n"
    "  --regimen FILE          TOML file, e.g. training/regimens/cells.toml\n"
    "  --output DIR            gets model.safetensors, checkpoint.safetensors, train-log.csv, regimen.toml\n"
    "  --set TABLE.KEY=VALUE   replaces one value of the regimen; may be given again\n"
    "  --init FILE             begin with what fits of the weights in a model file or a PyTorch checkpoint\n"
    "                          (.pth of torchvision's Faster R-CNN or ResNet) instead of random ones\n"
    "  --resume                go on with the run in the output folder\n"
    "  --seed N                default 1\n"
    "  --device cpu|cuda[:N]   where the network runs; default cpu; of several processes on cuda each takes a\n"
    "                          GPU of its own\n"
    "  --threads N             default: all cores\n"
    "  --dtype f32|f16|bf16    of the model file's weights; default f32\n"
    "  --max-minutes M         stop after M minutes, resumable\n"
    "  --checkpoint-minutes M  default 10\n"
    "\n"
    "Ctrl-C saves and stops; --resume goes on.\n";

CorpusChoice corpus_choice(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || text.find('/', colon) != std::string::npos) return {text, 1};
  return {text.substr(0, colon), number("--corpus", text.substr(colon + 1), 0, 1000)};
}

TrainOptions parse(const std::vector<std::string>& words) {
  TrainOptions o;
  const OptionTakers options{
      {"--corpus", [&](const std::string& v) { o.corpora.push_back(corpus_choice(v)); }},
      {"--regimen", [&](const std::string& v) { o.regimen = v; }},
      {"--output", [&](const std::string& v) { o.output = v; }},
      {"--set", [&](const std::string& v) { o.overrides.push_back(v); }},
      {"--init", [&](const std::string& v) { o.init = v; }},
      {"--seed", [&](const std::string& v) { o.seed = whole("--seed", v, UINT64_MAX); }},
      {"--device", [&](const std::string& v) { o.device = v; }},
      {"--threads", [&](const std::string& v) { o.threads = static_cast<int>(whole("--threads", v, 1024)); }},
      {"--dtype", [&](const std::string& v) { o.dtype = weights_dtype("--dtype", v); }},
      {"--max-minutes", [&](const std::string& v) { o.max_minutes = number("--max-minutes", v, 0, 1e6); }},
      {"--checkpoint-minutes",
       [&](const std::string& v) { o.checkpoint_minutes = number("--checkpoint-minutes", v, 0, 1e6); }},
  };
  take_options(words, options, {{"--resume", [&] { o.resume = true; }}});
  require("--corpus", o.corpora.empty() ? "" : o.corpora.front().folder);
  require("--regimen", o.regimen);
  require("--output", o.output);
  return o;
}

volatile sig_atomic_t last_signal = 0;

void on_signal(int number) {
  last_signal = number;
  request_stop();
}

void stop_on_signals() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = static_cast<int>(SA_RESETHAND);  // a second Ctrl-C ends the program at once
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

int run(const std::vector<std::string>& words) {
  const TrainOptions options = parse(words);
  stop_on_signals();
  const TrainEnd end = train(options);
  if (end != TrainEnd::finished) std::cerr << "stopped early; the same command with --resume goes on\n";
  return end == TrainEnd::interrupted ? 128 + last_signal : 0;
}

}  // namespace

const Command train_command{"train", "a corpus and a regimen in, a model file out", help, run};

}  // namespace smearscope::training
