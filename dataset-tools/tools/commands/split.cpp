#include "corpus/split.h"

#include <iostream>

#include "corpus/folder.h"
#include "corpus/groups.h"
#include "duplicates/copies.h"
#include "tools/commands.h"
#include "tools/report.h"

namespace smearscope::corpus {

int run_split(const Arguments& arguments) {
  if (arguments.positional().size() != 1)
    throw Error("split takes one corpus folder; see smearscope-corpus split --help");
  const std::string& output = arguments.required("output");
  check_is_new(output);
  SplitOptions options;
  options.val = arguments.number("val", 0, 1).value_or(options.val);
  options.test = arguments.number("test", 0, 1).value_or(options.test);
  options.seed = static_cast<std::uint64_t>(arguments.integer("seed", 0, 1L << 53).value_or(1));
  options.keep_parts = arguments.has("keep-parts");
  const auto threads = static_cast<unsigned>(arguments.integer("threads", 1, 1024).value_or(0));

  StoredCorpus corpus = open_corpus(arguments.positional().front());
  if (arguments.has("groups")) declare_groups(arguments.required("groups"), corpus.images);
  std::vector<std::pair<std::size_t, std::size_t>> alike;
  for (const Pair& pair : find_copies(corpus.images, threads)) alike.emplace_back(pair.first, pair.second);
  split(corpus, alike, options);
  write_corpus(output, corpus, arguments.has("copy") ? Transfer::copy : Transfer::link);
  print_counts(corpus, std::cout);
  return done;
}

}  // namespace smearscope::corpus
