// A data set -> a corpus folder: labels read, classes mapped, images copied.
#pragma once

#include <filesystem>
#include <string>

#include "corpus/records.h"
#include "corpus/taxonomy.h"
#include "readers/reader.h"
#include "smearscope/error.h"

namespace smearscope::corpus {

struct StandardiseOptions {
  bool keep_general = true;  // keep the taxonomy's general classes (a wbc that is not told apart further)
  unsigned threads = 0;      // 0: all processors
};

// Reads `set`, whose reader's name is `kind`, and writes the corpus; returns it. Each image is read once.
// Images that can't be read are left out and listed in left_out. Throws Error if the corpus can't be written.
Corpus standardise(const DataSet& set, const std::string& kind, const Taxonomy& taxonomy,
                   const std::filesystem::path& output, const StandardiseOptions& options);

}  // namespace smearscope::corpus
