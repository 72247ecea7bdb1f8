// BCCD's table of white-cell types (labels.csv of the set that BCCD was made from): CSV with the columns
// ",Image,Category". Image is the number in BloodImage_00042.jpg; Category its white cells' types, none, one
// or several ("NEUTROPHIL, EOSINOPHIL").
#pragma once

#include <filesystem>
#include <istream>
#include <map>
#include <string>

#include "readers/reader.h"
#include "smearscope/error.h"

namespace smearscope::corpus {

struct Subtype {
  std::string name, where;  // where: file and line
};

// Types by the number of the image; images with none or several are not in it. Throws Error, beginning with
// `file` and the line, if the table isn't as above or tells of an image twice.
std::map<int, Subtype> parse_subtypes(std::istream& in, const std::string& file);

// Labels of the set become finer: where the table names one type and the image has one box labelled WBC, that
// is its label (the taxonomy knows it); notes it in the image. Throws Error if the table can't be read.
void refine_by_subtypes(DataSet& set, const std::filesystem::path& table);

}  // namespace smearscope::corpus
