// smearscope-model: look at, check, convert and annotate model files.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "model_table.h"
#include "smearscope/model.h"

namespace {

using smearscope::DType;
using smearscope::Error;
using smearscope::Model;

constexpr const char* help =
    R"(usage: smearscope-model inspect FILE
       smearscope-model verify FILE
       smearscope-model convert FILE OUT --dtype f16|bf16|f32|i8
       smearscope-model annotate FILE [--metric KEY=VALUE]... [--licence TEXT] [--score-threshold T]
                                 [--parent CLASS=PARENT]... [--weak CLASS]...
                                 [--red-cell-sides MIN,MAX] [--output OUT]

  inspect   prints what the file says of itself, and its tensors
  verify    checks everything: structure, checksum, tensors, values; one line, exit status 0 or 1
  convert   writes the weights as another type, rounded to nearest even
  annotate  writes measured metrics, a licence note, the score above which a detection is a cell where
            nobody asks for another, which class is a kind of which (CLASS= is of none), a class whose cells
            are often missed or misnamed (--weak "" forgets those named before), or how large red cells are
            that the model knows (pixels of the resized image), into FILE, or into a copy, OUT

FILE is a path, or the name of an installed model such as smearscope-cells.
)";

// A mistake in the command line, not in a file.
struct UsageError : Error {
  using Error::Error;
};

// Words after the command: positions, and options with their values in the order given.
struct Arguments {
  std::vector<std::string> positions;
  std::vector<std::pair<std::string, std::string>> options;
};

Arguments parse(const std::vector<std::string>& words, std::size_t positions,
                std::string_view known_options) {
  Arguments arguments;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i].rfind("--", 0) != 0) {
      arguments.positions.push_back(words[i]);
      continue;
    }
    const std::size_t equals = words[i].find('=');
    const std::string option = words[i].substr(0, equals);
    if (known_options.find(option + " ") == std::string_view::npos)
      throw UsageError("unknown option " + option);
    if (equals != std::string::npos) {
      arguments.options.emplace_back(option, words[i].substr(equals + 1));
    } else if (++i < words.size()) {
      arguments.options.emplace_back(option, words[i]);
    } else {
      throw UsageError(option + " needs a value");
    }
  }
  if (arguments.positions.size() != positions) {
    throw UsageError("needs " + std::to_string(positions) + " file name" + (positions == 1 ? "" : "s") +
                     ", not " + std::to_string(arguments.positions.size()));
  }
  return arguments;
}

// A path if there is such a file, else the name of an installed model.
std::string model_path(const std::string& name) {
  std::FILE* file = std::fopen(name.c_str(), "rb");
  if (file == nullptr) return smearscope::find_model(name);
  std::fclose(file);
  return name;
}

DType parse_dtype(const std::string& word) {
  if (word == "f32") return DType::f32;
  if (word == "f16") return DType::f16;
  if (word == "bf16") return DType::bf16;
  if (word == "i8") return DType::i8;
  throw UsageError("--dtype must be f16, bf16, f32 or i8, not '" + word + "'");
}

void add_metric(smearscope::ModelInfo& info, const std::string& text) {
  const std::size_t equals = text.find('=');
  const char* end = text.data() + text.size();
  double value = 0;
  std::from_chars_result read{end, std::errc::invalid_argument};
  if (equals != std::string::npos && equals > 0) read = std::from_chars(text.data() + equals + 1, end, value);
  if (read.ec != std::errc() || read.ptr != end) {
    throw UsageError("--metric must be KEY=VALUE with a number, not '" + text + "'");
  }
  info.metrics[text.substr(0, equals)] = value;
}

void set_score_threshold(smearscope::ModelInfo& info, const std::string& text) {
  const char* end = text.data() + text.size();
  double value = 0;
  const auto read = std::from_chars(text.data(), end, value);
  if (read.ec != std::errc() || read.ptr != end || !(value >= 0 && value <= 1)) {
    throw UsageError("--score-threshold must be a number from 0 to 1, not '" + text + "'");
  }
  info.thresholds.score = value;
}

std::size_t label_of(const smearscope::ModelInfo& info, const std::string& option, const std::string& name) {
  const auto found = std::find(info.classes.begin(), info.classes.end(), name);
  if (found == info.classes.end()) throw UsageError(option + ": the model has no class '" + name + "'");
  return static_cast<std::size_t>(found - info.classes.begin());
}

void set_parent(smearscope::ModelInfo& info, const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos) throw UsageError("--parent must be CLASS=PARENT, not '" + text + "'");
  info.parents.resize(info.classes.size(), -1);
  const std::string parent = text.substr(equals + 1);
  info.parents[label_of(info, "--parent", text.substr(0, equals))] =
      parent.empty() ? -1 : static_cast<int>(label_of(info, "--parent", parent));
}

// No class clears the list.
void add_weak_class(smearscope::ModelInfo& info, const std::string& name) {
  std::vector<std::string>& weak = info.weak_classes;
  if (name.empty()) {
    weak.clear();
  } else {
    label_of(info, "--weak", name);
    if (std::find(weak.begin(), weak.end(), name) == weak.end()) weak.push_back(name);
  }
}

void set_red_cell_sides(smearscope::ModelInfo& info, const std::string& text) {
  const char* end = text.data() + text.size();
  std::array<double, 2> sides{};
  auto read = std::from_chars(text.data(), end, sides[0]);
  if (read.ec == std::errc() && read.ptr != end && *read.ptr == ',')
    read = std::from_chars(read.ptr + 1, end, sides[1]);
  else
    read.ec = std::errc::invalid_argument;
  if (read.ec != std::errc() || read.ptr != end)
    throw UsageError("--red-cell-sides must be two numbers, as 40,106, not '" + text + "'");
  info.red_cell_sides = sides;
}

void inspect(const std::vector<std::string>& words) {
  const auto model = Model::load(model_path(parse(words, 1, "").positions[0]));
  std::fputs(smearscope::describe(*model).c_str(), stdout);
}

void verify(const std::vector<std::string>& words) {
  const auto model = Model::load(model_path(parse(words, 1, "").positions[0]));
  std::printf("%s: good, %s\n", model->path().c_str(), smearscope::summarize(*model).c_str());
}

void convert(const std::vector<std::string>& words) {
  const Arguments arguments = parse(words, 2, "--dtype ");
  if (arguments.options.empty()) throw UsageError("convert needs --dtype f16, bf16, f32 or i8");
  const DType dtype = parse_dtype(arguments.options.back().second);
  smearscope::convert_model(model_path(arguments.positions[0]), arguments.positions[1], dtype);
}

void annotate(const std::vector<std::string>& words) {
  const Arguments arguments =
      parse(words, 1, "--metric --licence --score-threshold --parent --weak --red-cell-sides --output ");
  const auto model = Model::load(model_path(arguments.positions[0]));
  smearscope::ModelInfo info = model->info();
  std::string output = model->path();
  for (const auto& [option, value] : arguments.options) {
    if (option == "--metric") add_metric(info, value);
    if (option == "--licence") info.licence = value;
    if (option == "--score-threshold") set_score_threshold(info, value);
    if (option == "--parent") set_parent(info, value);
    if (option == "--weak") add_weak_class(info, value);
    if (option == "--red-cell-sides") set_red_cell_sides(info, value);
    if (option == "--output") output = value;
  }
  smearscope::write_model(output, info, model->stored_tensors());
}

void run(const std::vector<std::string>& words) {
  if (words.empty()) throw UsageError("needs a command");
  const std::vector<std::string> rest(words.begin() + 1, words.end());
  if (words[0] == "--help" || words[0] == "-h") {
    std::fputs(help, stdout);
  } else if (words[0] == "--version") {
    std::puts("smearscope-model " SMEARSCOPE_VERSION);
  } else if (words[0] == "inspect") {
    inspect(rest);
  } else if (words[0] == "verify") {
    verify(rest);
  } else if (words[0] == "convert") {
    convert(rest);
  } else if (words[0] == "annotate") {
    annotate(rest);
  } else {
    throw UsageError("unknown command '" + words[0] + "'");
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run({argv + 1, argv + argc});
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
      throw Error("cannot write to the standard output");
    return 0;
  } catch (const UsageError& error) {
    std::fprintf(stderr, "smearscope-model: %s (see smearscope-model --help)\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "smearscope-model: %s\n", error.what());
    return 1;
  }
}
