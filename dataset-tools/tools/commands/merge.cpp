#include "corpus/merge.h"

#include <iostream>
#include <map>

#include "corpus/folder.h"
#include "tools/commands.h"
#include "tools/report.h"

namespace smearscope::corpus {

int run_merge(const Arguments& arguments) {
  const std::string& output = arguments.required("output");
  check_is_new(output);
  std::vector<Corpus> corpora;
  for (const std::string& folder : arguments.positional()) corpora.push_back(read_corpus(folder));
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
  print_counts(merged.corpus, std::cout);
  std::cout << "digest " << digest_of(read_corpus(output)) << "\n";
  return done;
}

}  // namespace smearscope::corpus
