// Which classes a corpus has, what the sources call them, and how completely each source labels them. It is
// data: taxonomies/*.toml, built into the program, or a file of the user's own of that form (cells.toml says
// what its entries mean).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "corpus/records.h"
#include "smearscope/error.h"

namespace smearscope::corpus {

struct Taxonomy {
  enum class Completeness { unknown, exhaustive, not_exhaustive };
  static constexpr int dropped = -1;  // a class that is left out on purpose

  // What is known of one kind of source.
  struct Source {
    std::map<std::string, int> class_of_label;  // by the source's label in lower case; an index, or dropped
    std::vector<Completeness> completeness;     // one for each class
  };

  std::string name;
  std::vector<Class> classes;
  std::vector<bool> general;                 // classes that may be dropped (drop_general)
  std::map<std::string, int> class_of_name;  // names and aliases, in lower case
  std::map<std::string, Source> sources;     // by kind
};

// "cells", "paper", ...: those built in.
std::vector<std::string> taxonomy_names();

// The built-in one of that name, else the file of that path. Throws Error, with file and line or key, if
// there is no such thing or it isn't a taxonomy.
Taxonomy load_taxonomy(const std::string& name_or_file);
std::string text_of_taxonomy(const std::string& name_or_file);  // its TOML; throws Error if there is none
Taxonomy parse_taxonomy(const std::string& toml, const std::string& name);

// Maps the annotations of an image to classes of the taxonomy and fills in absent and not_exhaustive. `kind`
// is the reader's name; `own_classes` what annotation categories refer to, where the set has classes
// (DataSet::classes); with `gives_completeness`, absent and not_exhaustive of the image refer to them too,
// and are mapped instead of taken from the taxonomy. An annotation with an unknown or dropped label is left
// out, with a change, and its box becomes an ignore region: there is a cell, of no class of ours. If a label
// of the image could not be read, no class is exhaustive in it.
void classify(Image& image, const Taxonomy& taxonomy, const std::string& kind,
              const std::vector<Class>& own_classes, bool gives_completeness);

// For images of whose cells some may have no label: no class is exhaustive in it.
void open_all_classes(Image& image, const Taxonomy& taxonomy);

// Leaves out the general classes, from the classes and from images that were classified: boxes become ignore
// regions, with a change.
std::vector<Class> classes_without_general(const Taxonomy& taxonomy);
void drop_general(Image& image, const Taxonomy& taxonomy);

}  // namespace smearscope::corpus
