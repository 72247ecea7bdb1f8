#include "corpus/check.h"

#include <iostream>

#include "corpus/folder.h"
#include "tools/commands.h"
#include "tools/report.h"

namespace smearscope::corpus {

int run_check(const Arguments& arguments) {
  if (arguments.positional().size() != 1)
    throw Error("check takes one corpus folder; see smearscope-corpus check --help");
  const std::string& folder = arguments.positional().front();
  const StoredCorpus corpus = open_corpus(folder);
  const auto threads = static_cast<unsigned>(arguments.integer("threads", 1, 1024).value_or(0));
  std::size_t errors = 0, notes = 0;
  check(corpus, folder, threads, [&](const Finding& finding) {
    std::cout << (finding.is_error ? "error: " : "note: ") << finding.text << "\n";
    ++(finding.is_error ? errors : notes);
  });
  print_counts(corpus, std::cout);
  std::cout << errors << " errors, " << notes << " notes\n";
  return errors == 0 ? done : failed;
}

}  // namespace smearscope::corpus
