// Which images are trained on, and which judge what was learnt.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "corpus/stored_corpus.h"
#include "smearscope/error.h"

namespace smearscope::corpus {

struct SplitOptions {
  double val = 0.1, test = 0;  // shares of the images, each 0..1, together less than 1
  std::uint64_t seed = 1;
  bool keep_parts = false;  // images that have a part keep it
};

// Sets Image::part to "train", "val" or "test" so that each class and each source has about the same share of
// its cells and images in each part: iterative stratification (Sechidis, Tsoumakas & Vlahavas, 2011), which
// deals out the rarest class first. Images that belong together (declared groups, `pairs`) get one part. The
// same images, seed and shares give the same parts, in whatever order the images come. Throws Error if the
// shares make no sense, or images that belong together have different parts that are to be kept.
void split(StoredCorpus& corpus, const std::vector<std::pair<std::size_t, std::size_t>>& pairs,
           const SplitOptions& options);

}  // namespace smearscope::corpus
