#include "corpus/standardise.h"

#include <iostream>

#include "corpus/folder.h"
#include "readers/reader.h"
#include "readers/subtypes.h"
#include "tools/commands.h"
#include "tools/report.h"

namespace smearscope::corpus {

int run_standardise(const Arguments& arguments) {
  arguments.expect_no_positional();
  const Reader& reader = find_reader(arguments.required("source"));
  const std::filesystem::path input = arguments.required("input"), output = arguments.required("output");
  const Taxonomy taxonomy = load_taxonomy(arguments.optional("taxonomy", "cells"));
  StandardiseOptions options;
  const std::string general = arguments.optional("general-wbc", "keep");
  if (general != "keep" && general != "drop")
    throw Error("--general-wbc is '" + general + "'; it must be keep or drop");
  options.keep_general = general == "keep";
  if (const auto side = arguments.integer("longest-side", 16, 1 << 16))
    options.scaling.longest_side = static_cast<int>(*side);
  options.scaling.pixel_size_um = arguments.number("pixel-size", 0.01, 10);
  if (options.scaling.longest_side && options.scaling.pixel_size_um)
    throw Error("--longest-side and --pixel-size exclude each other");
  options.threads = static_cast<unsigned>(arguments.integer("threads", 1, 1024).value_or(0));
  if (!std::filesystem::is_directory(input)) throw Error(input.string() + ": no such folder");
  if (arguments.has("subtypes") && arguments.required("source") != "bccd")
    throw Error("--subtypes is BCCD's table of white-cell types; it goes with --source bccd");
  check_is_new(output);  // before the work, not after it

  DataSet set = reader.open(input);
  if (arguments.has("subtypes")) refine_by_subtypes(set, arguments.required("subtypes"));
  const StoredCorpus corpus = standardise(set, reader.name, taxonomy, output, options);
  print_changes(corpus, std::cerr);
  print_counts(corpus, std::cout);
  print_change_counts(corpus, std::cout);
  return has_gaps(corpus) ? done_with_gaps : done;
}

}  // namespace smearscope::corpus
