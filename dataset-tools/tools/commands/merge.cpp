#include "corpus/merge.h"

#include <iostream>

#include "corpus/folder.h"
#include "tools/commands.h"
#include "tools/report.h"

namespace smearscope::corpus {

int run_merge(const Arguments& arguments) {
  const std::string& output = arguments.required("output");
  check_is_new(output);
  MergeOptions options;
  options.only = arguments.optional("only", "");
  options.threads = static_cast<unsigned>(arguments.integer("threads", 1, 1024).value_or(0));
  std::vector<StoredCorpus> corpora;
  for (const std::string& folder : arguments.positional()) corpora.push_back(open_corpus(folder));
  const MergeResult merged = merge(std::move(corpora), options);
  write_corpus(output, merged.corpus, arguments.has("copy") ? Transfer::copy : Transfer::link);

  std::cout << "left out: " << merged.same_bytes << " images with the bytes of another, "
            << merged.same_picture << " with the picture of another, " << merged.same_field
            << " to train on that show a field of val or test\n"
            << "labels of the copies: " << merged.labels_agree << " agree with those kept, "
            << merged.labels_differ << " differ, " << merged.labels_only_copy << " are only there, "
            << merged.labels_only_kept << " only in those kept; " << merged.classes_refined
            << " classes were refined by them\n"
            << "images that show one field and were grouped: " << merged.grouped << "\n";
  print_counts(merged.corpus, std::cout);
  std::cout << "digest " << digest_of(merged.corpus) << "\n";
  return done;
}

}  // namespace smearscope::corpus
