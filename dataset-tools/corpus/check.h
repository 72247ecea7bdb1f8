// Is a corpus what it says it is?
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "corpus/stored_corpus.h"
#include "smearscope/error.h"

namespace smearscope::corpus {

struct Finding {
  bool is_error = false;  // else something to know
  std::string text;       // one line: where, what
};

// Looks at everything that reading the corpus hasn't: image files against their records (pixels, size,
// digest); boxes of one cell drawn twice, or with classes that exclude each other; classes that are absent
// and labelled; pictures that are there twice, and pictures or groups that are in several parts; files in
// images/ that no annotation names. `folder`: of the corpus. Decodes every image, on `threads` threads (0:
// all processors). Tells of each finding in turn, in the same order on any number of threads.
void check(const StoredCorpus& corpus, const std::filesystem::path& folder, unsigned threads,
           const std::function<void(const Finding&)>& tell);

}  // namespace smearscope::corpus
