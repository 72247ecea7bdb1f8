// A page about a corpus: one HTML file that needs nothing else, no network and no script.
#pragma once

#include <string>

#include "report/statistics.h"

namespace smearscope::corpus {

struct PageTitle {
  std::string name;    // of the corpus
  std::string digest;  // digest_of(corpus)
};

// Counts, box and pixel sizes as charts (SVG), samples of each source with their boxes (JPEG data URIs),
// label completeness, repairs and files left out. About 1 MB for four sources. Reads the sample images;
// throws Error if one can't be read.
std::string html_report(const PageTitle& title, const StoredCorpus& corpus, const Statistics& statistics);

}  // namespace smearscope::corpus
