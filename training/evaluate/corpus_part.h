// One part of a corpus, as the metrics take it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "corpus/records.h"
#include "metrics/boxes.h"
#include "smearscope/error.h"

namespace smearscope::training {

struct CorpusPart {
  std::string name;                        // "val"
  std::vector<corpus::Image> images;       // by ascending id
  std::vector<std::int64_t> category_ids;  // COCO ids, as data.categories
  metrics::Data data;                      // images as `images`; nothing found yet

  std::size_t boxes() const;  // crowds not among them
};

// Images of `part`, by ascending id, whether or not anything is labelled in them. Parts and errors as below.
std::vector<corpus::Image> read_images(const std::string& folder, const std::string& part);

// `part`: "train", "val", "test", or "all" for the images of no part. Boxes, areas and crowds are exactly
// those of the file, as pycocotools reads them; crowds, which no corpus of ours has, are kept for it. Throws
// Error as corpus::read_corpus does, or if there is no such part or it has no boxes.
CorpusPart read_part(const std::string& folder, const std::string& part);

}  // namespace smearscope::training
