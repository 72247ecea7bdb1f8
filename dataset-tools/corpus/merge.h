// Several corpora into one, without letting anything that is validated on be trained on.
#pragma once

#include <string>
#include <vector>

#include "corpus/records.h"
#include "smearscope/error.h"

namespace smearscope::corpus {

// One image that was left out, and the image that stays in its place.
struct Removal {
  enum class Kind { train_repeats_val, train_resembles_val, train_repeats_train, val_repeats_val } kind;
  std::string source, file;            // of the image left out
  std::string kept_source, kept_file;  // of the image that it copies
  double correlation = 0;              // similarity.h; 1 for the same bytes
};

struct MergeResult {
  Corpus corpus;
  std::vector<Removal> removals;
};

// Joins `corpora` in order. The classes must be the same. Left out are: validation images whose bytes an
// earlier one has; training images that copy a validation image of any of the corpora, byte for byte or
// nearly (near_duplicate); training images whose bytes an earlier training image has. If two images have one
// file name, the later gets its source's name before its own. Decodes every image. Throws Error if the
// classes differ or a file isn't an image.
MergeResult merge(const std::vector<Corpus>& corpora);

}  // namespace smearscope::corpus
