// Pascal VOC annotations (host.robots.ox.ac.uk/pascal/VOC/voc2012/devkit_doc.pdf): one XML document an image.
// Document types are skipped and entities of their own not expanded, so that neither bombs nor files of this
// machine get into a corpus.
#pragma once

#include <set>
#include <string>

#include "corpus/records.h"
#include "smearscope/error.h"

namespace smearscope::corpus {

constexpr std::size_t largest_voc_file = 8 << 20;  // bytes; 10,000 objects take 3 MB

// Adds the objects of the document, as add_annotation does, with their names as labels; notes those that
// can't be understood. Boxes are taken as pixels of the image, in continuous coordinates. `where` (the file's
// name) begins errors and notes. width and height of `image` are set by then. Throws Error if it is no VOC
// annotation, or one of an image of another size.
void add_voc_labels(const std::string& xml, const std::string& where, Image& image);

// Adds the names of the document's objects to `names`; none if it can't be read.
void add_voc_names(const std::string& xml, std::set<std::string>& names);

}  // namespace smearscope::corpus
