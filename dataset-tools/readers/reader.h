// Readers: a data set's own folder layout and labels -> records. One file each; the recipe is in README.md.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "corpus/records.h"
#include "smearscope/error.h"

namespace smearscope::corpus {

// What a reader left out, one line each for a person: file, what, and why.
using Notes = std::vector<std::string>;

struct Reader {
  const char* name;         // --source
  const char* description;  // one line for --help
  // Records of the data set in `folder`, in the order of its file names, with cell_classes() as classes and
  // Image::path set. Boxes without area and repeated labels are dropped and noted. Throws Error, naming the
  // file, if a file is missing or not as the layout says.
  Corpus (*read)(const std::filesystem::path& folder, Notes& notes);
};

Corpus read_bccd(const std::filesystem::path& folder, Notes& notes);
Corpus read_txl(const std::filesystem::path& folder, Notes& notes);
Corpus read_coco_source(const std::filesystem::path& folder, Notes& notes);

const std::vector<Reader>& readers();
const Reader& find_reader(const std::string& name);  // throws Error with the known names

// For readers: adds the annotation with its box clipped to the image, or notes why not: no area, or there
// already.
void add_annotation(Image& image, const Annotation& annotation, const std::string& where, Notes& notes);

}  // namespace smearscope::corpus
