// smearscope-corpus: data sets in their own layouts -> one COCO corpus.
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "corpus/folder.h"
#include "corpus/merge.h"
#include "readers/reader.h"

namespace smearscope::corpus {
namespace {

const char* const usage =
    "Usage: smearscope-corpus standardise --source NAME --input DIR --output DIR\n"
    "       smearscope-corpus merge DIR... --output DIR\n"
    "\n"
    "standardise  reads a data set in its own layout and writes it as a corpus: images/ (the files\n"
    "             themselves, unchanged) and annotations/{train,val}.json (COCO).\n"
    "merge        joins corpora; a training image that copies any validation image, byte for byte,\n"
    "             resized, turned or recoloured, is left out.\n"
    "\n"
    "DIR of --output must not exist yet.\n"
    "\n"
    "Sources:\n";

struct Arguments {
  std::map<std::string, std::string> options;
  std::vector<std::string> positional;

  const std::string& required(const std::string& name) const {
    const auto found = options.find(name);
    if (found == options.end()) throw Error("--" + name + " is missing; see smearscope-corpus --help");
    return found->second;
  }
};

Arguments parse(int count, char** values, const std::vector<std::string>& known) {
  Arguments arguments;
  for (int i = 0; i < count; ++i) {
    const std::string text = values[i];
    if (text.rfind("--", 0) != 0) {
      arguments.positional.push_back(text);
      continue;
    }
    const std::string name = text.substr(2);
    bool is_known = false;
    for (const std::string& option : known) is_known |= option == name;
    if (!is_known) throw Error("unknown option " + text + "; see smearscope-corpus --help");
    if (i + 1 >= count) throw Error(text + " needs a value");
    if (!arguments.options.emplace(name, values[++i]).second) throw Error(text + " is given twice");
  }
  return arguments;
}

void print_counts(const Corpus& corpus) {
  for (const auto& [name, part] : {std::pair{"train", &corpus.train}, std::pair{"val", &corpus.val}}) {
    std::vector<std::size_t> cells(corpus.classes.size());
    for (const Image& image : *part) {
      for (const Annotation& a : image.annotations) ++cells[static_cast<std::size_t>(a.category)];
    }
    std::cout << name << ": " << part->size() << " images";
    for (std::size_t i = 0; i < cells.size(); ++i) std::cout << ", " << cells[i] << " " << corpus.classes[i];
    std::cout << "\n";
  }
}

void standardise(const Arguments& arguments) {
  if (!arguments.positional.empty())
    throw Error("unexpected argument '" + arguments.positional.front() + "'");
  const Reader& reader = find_reader(arguments.required("source"));
  const std::filesystem::path input = arguments.required("input");
  if (!std::filesystem::is_directory(input)) throw Error(input.string() + ": no such folder");
  check_is_new(arguments.required("output"));  // before the work, not after it
  Notes notes;
  const Corpus corpus = reader.read(input, notes);
  for (const std::string& note : notes) std::cerr << note << "\n";
  write_corpus(arguments.required("output"), corpus);
  print_counts(corpus);
  std::cout << notes.size() << " labels dropped\n";
}

void merge_folders(const Arguments& arguments) {
  const std::string output = arguments.required("output");
  check_is_new(output);
  std::vector<Corpus> corpora;
  for (const std::string& folder : arguments.positional) corpora.push_back(read_corpus(folder));
  const MergeResult merged = merge(corpora);
  using Kind = Removal::Kind;
  std::map<std::string, std::map<Kind, int>> counts;
  for (const Removal& r : merged.removals) {
    const bool nearly = r.kind == Kind::train_resembles_val;
    std::cerr << r.source << " " << r.file << " left out: " << (nearly ? "resembles " : "the same as ")
              << r.kept_source << " " << r.kept_file;
    if (nearly) std::cerr << " (correlation " << r.correlation << ")";
    std::cerr << "\n";
    ++counts[r.source][r.kind];
  }
  write_corpus(output, merged.corpus);
  for (auto& [source, count] : counts) {
    std::cout << source << ": left out of train " << count[Kind::train_repeats_val]
              << " the same as a val image, " << count[Kind::train_resembles_val] << " resembling one, "
              << count[Kind::train_repeats_train] << " the same as another train image; out of val "
              << count[Kind::val_repeats_val] << " the same as another\n";
  }
  print_counts(merged.corpus);
  std::cout << "digest " << digest_of(read_corpus(output)) << "\n";
}

void print_usage() {
  std::cout << usage;
  for (const Reader& reader : readers())
    std::cout << "  " << reader.name << "\t" << reader.description << "\n";
}

int run(int count, char** values) {
  const std::string command = count > 1 ? values[1] : "";
  if (command == "--help" || command == "-h") {
    print_usage();
  } else if (command == "--version") {
    std::cout << "smearscope-corpus " SMEARSCOPE_VERSION "\n";
  } else if (command == "standardise") {
    standardise(parse(count - 2, values + 2, {"source", "input", "output"}));
  } else if (command == "merge") {
    merge_folders(parse(count - 2, values + 2, {"output"}));
  } else {
    throw Error((command.empty() ? "no command" : "unknown command '" + command + "'") +
                "; see smearscope-corpus --help");
  }
  return 0;
}

}  // namespace
}  // namespace smearscope::corpus

int main(int argc, char** argv) {
  try {
    return smearscope::corpus::run(argc, argv);
  } catch (const std::exception& problem) {
    std::cerr << "smearscope-corpus: " << problem.what() << "\n";
    return 1;
  }
}
