// smearscope-train: a corpus and a regimen -> a model file.
#include <signal.h>

#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <string>

#include "loop/trainer.h"

namespace smearscope::training {
namespace {

const char* const usage =
    "Usage: smearscope-train train --corpus DIR[:WEIGHT] --regimen FILE --output DIR [options]\n"
    "\n"
    "  --corpus DIR[:WEIGHT]   corpus folder (smearscope-corpus makes one); may be given again; each of its\n"
    "                          images is seen WEIGHT times per epoch (default 1)\n"
    "  --regimen FILE          TOML file, e.g. training/regimens/cells.toml\n"
    "  --output DIR            gets model.safetensors, checkpoint.safetensors, train-log.csv, regimen.toml\n"
    "  --set TABLE.KEY=VALUE   replaces one value of the regimen; may be given again\n"
    "  --init MODEL            begin with this model's weights instead of random ones\n"
    "  --resume                go on with the run in the output folder\n"
    "  --seed N                default 1\n"
    "  --threads N             default: all cores\n"
    "  --dtype f32|f16|bf16    of the model file's weights; default f32\n"
    "  --max-minutes M         stop after M minutes, resumable\n"
    "  --checkpoint-minutes M  default 10\n"
    "\n"
    "Ctrl-C saves and stops; --resume goes on.\n";

const char* const see_help = "; see smearscope-train --help";

double number(const std::string& option, const std::string& text, double low, double high) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !(value >= low && value <= high)) {
    throw Error(option + ": '" + text + "' is not a number in its range" + see_help);
  }
  return value;
}

std::uint64_t whole(const std::string& option, const std::string& text, std::uint64_t high) {
  const bool digits =
      !text.empty() && text.size() < 19 && text.find_first_not_of("0123456789") == std::string::npos;
  const std::uint64_t value = digits ? std::strtoull(text.c_str(), nullptr, 10) : 0;
  if (!digits || value > high)
    throw Error(option + ": '" + text + "' is not a whole number in its range" + see_help);
  return value;
}

CorpusChoice corpus_choice(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || text.find('/', colon) != std::string::npos) return {text, 1};
  return {text.substr(0, colon), number("--corpus", text.substr(colon + 1), 0, 1000)};
}

DType dtype_of(const std::string& text) {
  if (text == "f32") return DType::f32;
  if (text == "f16") return DType::f16;
  if (text == "bf16") return DType::bf16;
  throw Error("--dtype: '" + text + "' is not f32, f16 or bf16");
}

TrainOptions parse(int count, char** values) {
  TrainOptions o;
  const std::map<std::string, std::function<void(const std::string&)>> take{
      {"--corpus", [&](const std::string& v) { o.corpora.push_back(corpus_choice(v)); }},
      {"--regimen", [&](const std::string& v) { o.regimen = v; }},
      {"--output", [&](const std::string& v) { o.output = v; }},
      {"--set", [&](const std::string& v) { o.overrides.push_back(v); }},
      {"--init", [&](const std::string& v) { o.init = v; }},
      {"--seed", [&](const std::string& v) { o.seed = whole("--seed", v, UINT64_MAX); }},
      {"--threads", [&](const std::string& v) { o.threads = static_cast<int>(whole("--threads", v, 1024)); }},
      {"--dtype", [&](const std::string& v) { o.dtype = dtype_of(v); }},
      {"--max-minutes", [&](const std::string& v) { o.max_minutes = number("--max-minutes", v, 0, 1e6); }},
      {"--checkpoint-minutes",
       [&](const std::string& v) { o.checkpoint_minutes = number("--checkpoint-minutes", v, 0, 1e6); }},
  };
  for (int i = 0; i < count; ++i) {
    const std::string option = values[i];
    if (option == "--resume") {
      o.resume = true;
      continue;
    }
    const auto found = take.find(option);
    if (found == take.end()) throw Error("unknown option '" + option + "'" + see_help);
    if (i + 1 >= count) throw Error(option + " needs a value" + see_help);
    found->second(values[++i]);
  }
  if (o.corpora.empty()) throw Error(std::string("--corpus is missing") + see_help);
  if (o.regimen.empty()) throw Error(std::string("--regimen is missing") + see_help);
  if (o.output.empty()) throw Error(std::string("--output is missing") + see_help);
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

int run(int count, char** values) {
  const std::string command = count > 1 ? values[1] : "";
  if (command == "--help" || command == "-h") {
    std::cout << usage;
    return 0;
  }
  if (command == "--version") {
    std::cout << "smearscope-train " SMEARSCOPE_VERSION "\n";
    return 0;
  }
  if (command != "train") {
    throw Error((command.empty() ? "no command" : "unknown command '" + command + "'") + see_help);
  }
  const TrainOptions options = parse(count - 2, values + 2);
  stop_on_signals();
  const TrainEnd end = train(options);
  if (end != TrainEnd::finished) std::cerr << "stopped early; the same command with --resume goes on\n";
  return end == TrainEnd::interrupted ? 128 + last_signal : 0;
}

}  // namespace
}  // namespace smearscope::training

int main(int argc, char** argv) {
  try {
    return smearscope::training::run(argc, argv);
  } catch (const std::exception& problem) {
    std::cerr << "smearscope-train: " << problem.what() << "\n";
    return 1;
  }
}
