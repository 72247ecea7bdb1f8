#include "build/build.h"

#include <iostream>

#include "corpus/folder.h"
#include "tools/commands.h"
#include "tools/report.h"

namespace smearscope::corpus {

int run_build(const Arguments& arguments) {
  arguments.expect_no_positional();
  const std::filesystem::path file = arguments.required("config");
  const BuildConfig config = load_build_config(file);
  BuildOptions options;
  options.data = arguments.optional("data", ".");
  options.config_folder = file.parent_path();
  options.output = arguments.required("output");
  if (!options.output.has_filename()) options.output = options.output.parent_path();
  options.threads = static_cast<unsigned>(arguments.integer("threads", 1, 1024).value_or(0));
  options.tell = [](const std::string& line) { std::cout << line << std::endl; };
  const StoredCorpus corpus = build(config, options);
  print_counts(corpus, std::cout);
  print_change_counts(corpus, std::cout);
  std::cout << "digest " << digest_of(corpus) << "\n";
  return has_gaps(corpus) ? done_with_gaps : done;
}

}  // namespace smearscope::corpus
