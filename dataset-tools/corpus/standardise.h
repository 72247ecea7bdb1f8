// A data set -> a corpus folder: labels read, classes mapped, scale measured, images copied or scaled.
#pragma once

#include <filesystem>
#include <string>

#include "corpus/scale.h"
#include "corpus/stored_corpus.h"
#include "corpus/taxonomy.h"
#include "readers/reader.h"
#include "smearscope/error.h"

namespace smearscope::corpus {

struct StandardiseOptions {
  bool keep_general = true;  // keep the taxonomy's general classes (a wbc that is not told apart further)
  Scaling scaling;
  unsigned threads = 0;  // 0: all processors
};

// Of a cell that has two boxes of incompatible classes neither is believed: its place becomes an ignore
// region. Images some of whose cells may be without a box (Image::not_exhaustive) get ignore regions around
// what looks like one. Reads `set`, whose reader's name is `kind`, and writes the corpus; returns it. Each
// image is read once. Pixel sizes that the set doesn't tell are estimated from the red cells. Where images
// are to be of one scale, those that tell nothing of theirs are taken to have the median of the others; if
// there are no others, they stay as they are. Images that need no scaling are copied byte for byte. Images
// that can't be read are left out and listed in left_out. Throws Error if the corpus can't be written.
StoredCorpus standardise(const DataSet& set, const std::string& kind, const Taxonomy& taxonomy,
                         const std::filesystem::path& output, const StandardiseOptions& options);

}  // namespace smearscope::corpus
