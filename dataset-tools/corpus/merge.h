// Several corpora into one, in which each picture is once, and nothing that is validated on is trained on.
#pragma once

#include <string>
#include <vector>

#include "corpus/stored_corpus.h"
#include "smearscope/error.h"

namespace smearscope::corpus {

struct MergeOptions {
  std::string only;      // take images of this source alone; the others only say what copies what. Empty: all
  unsigned threads = 0;  // 0: all processors
};

struct MergeResult {
  StoredCorpus corpus;
  std::size_t same_bytes = 0, same_picture = 0, same_field = 0;  // images left out because they were
  std::size_t labels_agree = 0, labels_differ = 0, labels_only_kept = 0, labels_only_copy = 0;  // of copies
  std::size_t classes_refined = 0;
  std::size_t grouped = 0;  // images that were given a group
};

// Joins `corpora`, whose classes must be the same, in order (Algorithm 2 of the paper: sequential names, one
// list of annotations, one table of metadata).
// Left out are: an image that shows the same picture as another that stays (duplicates/copies.h). Images of
// val and test stay before those of train and of no part, earlier ones before later ones. And a train image
// of the same field as an image of val or test. left_out tells of each, how its labels compare. Where a
// copy's labels are finer than those that stay (lymphocyte, wbc), theirs are taken over. Other images of the
// same field get one group, so that a split keeps them together. Images are renamed to their ids: 000001.jpg,
// 000002.png, ...; that is also their order in the corpus. The same corpora give the same result on any
// number of threads. Throws Error if there are none, classes differ, no image is of the source `only`, or a
// file isn't an image.
MergeResult merge(std::vector<StoredCorpus> corpora, const MergeOptions& options = {});

}  // namespace smearscope::corpus
