#include "tools/detect/options.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <map>

namespace smearscope::detect {

const char* const help_text =
    "usage: smearscope-detect [OPTION]... IMAGE|FOLDER...\n"
    "\n"
    "Finds blood cells in images. A folder stands for all images in it and in its subfolders.\n"
    "\n"
    "  --model FILE            model file, or the name of an installed one (default: smearscope-cells)\n"
    "  --score-threshold S     least confidence of a cell, 0 to 1 (default: the model's own)\n"
    "  --nms-threshold T       overlap (IoU) above which two boxes of a class are one cell, 0 to 1\n"
    "  --agnostic-nms-threshold T\n"
    "                          the same for boxes of any classes: a cell counts once (default: 0.5);\n"
    "                          1: under each of its names, as COCO's measure wants it\n"
    "  --kind-threshold K      a kind (lymphocyte) is named if its score is above this (default: 0.5),\n"
    "                          else its family (wbc), whose score is all its kinds' together\n"
    "  --max-detections N      most cells in an image, the surest first\n"
    "  --classes A,B           only these classes and their kinds, by the names that cells go by\n"
    "  --device D              cpu, cuda, cuda:N or auto: cuda if it can be used, else cpu (default: cpu)\n"
    "  --precision P           f32, f16, bf16, int8, or auto: int8 on a CPU that can run the model so, else "
    "f32\n"
    "                          (default: auto)\n"
    "  --threads N             CPU threads (default: all cores)\n"
    "\n"
    "  --coco-results FILE     write COCO detection results (JSON)\n"
    "  --coco-images FILE      take image and category ids, and of folders the list of images, from this "
    "COCO file\n"
    "  --annotated DIR         write each image with its cells drawn in, as PNG\n"
    "  --csv FILE              write one row per cell\n"
    "\n"
    "  --help, --version\n"
    "\n"
    "Prints the number of cells of each class. Exit status: 0, or 1 if a file could not be read or written "
    "(the\n"
    "others are done all the same), or 2 for a mistake in the command line.\n";

namespace {

double parse_share(const std::string& option, const std::string& text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  if (read.ec != std::errc() || read.ptr != end || !(value >= 0 && value <= 1)) {
    throw UsageError(option + " must be a number from 0 to 1, not '" + text + "'");
  }
  return value;
}

int parse_count(const std::string& option, const std::string& text, int least, int most) {
  int value = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  if (read.ec != std::errc() || read.ptr != end || value < least || value > most) {
    throw UsageError(option + " must be a whole number from " + std::to_string(least) + " to " +
                     std::to_string(most) + ", not '" + text + "'");
  }
  return value;
}

std::vector<std::string> parse_list(const std::string& option, const std::string& text) {
  std::vector<std::string> names;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t comma = std::min(text.find(',', start), text.size());
    const std::size_t first = text.find_first_not_of(' ', start);
    if (first >= comma)
      throw UsageError(option + " must be class names separated by commas, not '" + text + "'");
    names.push_back(text.substr(first, text.find_last_not_of(' ', comma - 1) + 1 - first));
    start = comma + 1;
  }
  return names;
}

// Errors of the library's own parsers are mistakes in the command line here.
template <typename Parse>
auto parse_with(Parse parse, const std::string& text) {
  try {
    return parse(text);
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
}

std::string not_empty(const std::string& option, const std::string& text) {
  if (text.empty()) throw UsageError(option + " needs a name");
  return text;
}

using Setter = std::function<void(Options&, const std::string& option, const std::string& value)>;

const std::map<std::string, Setter>& setters() {
  using S = const std::string&;
  static const std::map<std::string, Setter> table{
      {"--model", [](Options& o, S name, S value) { o.model = not_empty(name, value); }},
      {"--score-threshold",
       [](Options& o, S name, S value) { o.score_threshold = parse_share(name, value); }},
      {"--nms-threshold", [](Options& o, S name, S value) { o.nms_threshold = parse_share(name, value); }},
      {"--agnostic-nms-threshold",
       [](Options& o, S name, S value) { o.naming.agnostic_nms = parse_share(name, value); }},
      {"--kind-threshold", [](Options& o, S name, S value) { o.naming.kind = parse_share(name, value); }},
      {"--max-detections",
       [](Options& o, S name, S value) { o.max_detections = parse_count(name, value, 1, 10000); }},
      {"--classes", [](Options& o, S name, S value) { o.classes = parse_list(name, value); }},
      {"--device", [](Options& o, S, S value) { o.detector.device = parse_with(Device::parse, value); }},
      {"--precision",
       [](Options& o, S, S value) { o.detector.precision = parse_with(parse_precision, value); }},
      {"--threads",
       [](Options& o, S name, S value) { o.detector.threads = parse_count(name, value, 0, 1024); }},
      {"--coco-results", [](Options& o, S name, S value) { o.coco_results = not_empty(name, value); }},
      {"--coco-images", [](Options& o, S name, S value) { o.coco_images = not_empty(name, value); }},
      {"--annotated", [](Options& o, S name, S value) { o.annotated = not_empty(name, value); }},
      {"--csv", [](Options& o, S name, S value) { o.csv = not_empty(name, value); }},
  };
  return table;
}

}  // namespace

Options parse_options(const std::vector<std::string>& words) {
  Options options;
  bool only_inputs = false;  // after "--"
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (only_inputs || word.size() < 2 || word[0] != '-') {
      options.inputs.push_back(word);
    } else if (word == "--") {
      only_inputs = true;
    } else if (word == "--help" || word == "-h") {
      options.help = true;
    } else if (word == "--version") {
      options.version = true;
    } else {
      const std::size_t equals = word.find('=');
      const std::string name = word.substr(0, equals);
      const auto setter = setters().find(name);
      if (setter == setters().end()) throw UsageError("unknown option " + name);
      if (equals == std::string::npos && ++i == words.size()) throw UsageError(name + " needs a value");
      setter->second(options, name, equals == std::string::npos ? words[i] : word.substr(equals + 1));
    }
  }
  if (options.inputs.empty() && !options.help && !options.version)
    throw UsageError("needs an image or a folder");
  return options;
}

}  // namespace smearscope::detect
