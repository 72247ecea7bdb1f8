// The files of a Pascal VOC data set, which BCCD is too.
#pragma once

#include <array>

#include "readers/reader.h"
#include "readers/source_folder.h"

namespace smearscope::corpus {

// Where ImageSets/Main/{train,val,test}.txt put an image.
struct VocParts {
  const char *train = "train", *val = "val", *test = "test";
};

bool holds_voc(const std::filesystem::path& folder);  // JPEGImages and Annotations?

// Images, and how to label them. The set's classes are the names that its objects have, where `with_classes`:
// all labels are read for that. What has no counterpart among images, annotations and lists is left out and
// reported; images in no list have no part. Throws Error if a list can't be read, or an image is in two.
DataSet open_voc_folder(const SourceFolder& folder, const VocParts& parts, bool with_classes);

}  // namespace smearscope::corpus
