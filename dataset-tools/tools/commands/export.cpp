#include <iostream>

#include "corpus/folder.h"
#include "export/formats.h"
#include "tools/commands.h"

namespace smearscope::corpus {

int run_export(const Arguments& arguments) {
  if (arguments.positional().size() != 1)
    throw Error("export takes one corpus folder; see smearscope-corpus export --help");
  const std::string &format = arguments.required("format"), &output = arguments.required("output");
  check_is_new(output);
  const StoredCorpus corpus = open_corpus(arguments.positional().front());
  export_corpus(corpus, format, output, arguments.has("link") ? Transfer::link : Transfer::copy);
  std::cout << corpus.images.size() << " images in " << output << " (" << format << ")\n";
  return done;
}

}  // namespace smearscope::corpus
