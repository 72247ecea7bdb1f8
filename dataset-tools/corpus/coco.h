// One part of a corpus (train, val, ...) as COCO object-detection JSON: https://cocodataset.org/#format-data,
// with LVIS's fields on completeness (https://www.lvisdataset.org/dataset) and some of our own.
//
// A category's `supercategory` names its parent class, or "cell"; image_count, instance_count and frequency
// ("r", "c", "f") are LVIS's, over this part. An image has also `source`, `source_file`,
// `group`, `pixel_size_um` (only where known), `neg_category_ids`, `not_exhaustive_category_ids` and
// `ignore_regions` ([[x, y, width, height], ...]), `ignore_regions_complete` (true, or not there); an
// annotation has `label` (the source's own name) and `box_origin` ("labelled", "segmented", "fallback").
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "corpus/stored_corpus.h"
#include "smearscope/error.h"

namespace smearscope::corpus {

struct CocoPart {
  std::vector<Class> classes;  // in the order of their category ids
  StoredList<Image> images;    // in file order; `path` is set to images_folder / file
};

// Reads `file`, as a file of `part`, record by record: memory holds names and ids of images, and where ids
// are not consecutive 16 bytes of each. Unknown fields are ignored, as are `iscrowd` regions; our own fields
// are optional. A box may reach up to half a pixel outside its image (rounding) and is clipped to it. Throws
// Error, naming the file and the record's id, on anything else that is not as it should be: bad JSON, missing
// or ill-typed fields, repeated lists, ids or file names, file names that leave the folder, unknown image or
// category ids, boxes outside the image or without area. Doesn't look at the image files.
CocoPart read_coco(const std::filesystem::path& file, const std::filesystem::path& images_folder,
                   const std::string& part = "");

// Writes the images of `part`, whole or not at all. An image's id is its place in corpus.images, from 1, so
// that it stays the same however the corpus is split; annotation ids count up from `next_annotation_id`,
// which is moved on. Box coordinates are rounded to 0.01 pixel. Throws Error if the file can't be written.
void write_coco(const std::filesystem::path& file, const StoredCorpus& corpus, const std::string& part,
                std::int64_t& next_annotation_id);

}  // namespace smearscope::corpus
