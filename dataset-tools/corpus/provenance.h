// provenance.csv of a corpus: where each image came from, what was done to it, and what was left out.
//
// CSV (csv.h), UTF-8, with provenance_columns; one row an image (rule "image"), then one row for each of its
// changes; at the end one row for each file that was left out, with an empty `file`.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "corpus/stored_corpus.h"
#include "smearscope/error.h"

namespace smearscope::corpus {

inline const std::vector<std::string> provenance_columns{"source", "source_file", "sha256",
                                                         "file",   "rule",        "detail"};

// Throws Error if the file can't be written.
void write_provenance(const std::filesystem::path& file, const StoredCorpus& corpus);

// Sets sha256 and changes of the corpus's images, and left_out. Rows of other images are ignored. Throws
// Error, with the line, if the table is not as above.
void read_provenance(const std::filesystem::path& file, StoredCorpus& corpus);

}  // namespace smearscope::corpus
