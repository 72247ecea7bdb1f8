// What the commands print about a corpus.
#pragma once

#include <iosfwd>

#include "corpus/stored_corpus.h"

namespace smearscope::corpus {

// Images and cells of each part: "train: 205 images, 12 wbc, ...".
void print_counts(const StoredCorpus& corpus, std::ostream& out);

// A line for each change and each file left out, but of each rule the first few only; provenance.csv has them
// all. Nothing about classes that the taxonomy drops.
void print_changes(const StoredCorpus& corpus, std::ostream& out);

// A line for each rule: "box without area: 2".
void print_change_counts(const StoredCorpus& corpus, std::ostream& out);

// Was something of the input left out because it could not be read or understood?
bool has_gaps(const StoredCorpus& corpus);

}  // namespace smearscope::corpus
