// A corpus of any size: its records are on disk (storage/stored_list.h), and memory holds some bytes of each.
#pragma once

#include <string>
#include <vector>

#include "corpus/records.h"
#include "storage/stored_list.h"

namespace smearscope::corpus {

// What a Corpus is, for those that go over its images one after the other. Image::path says where an image's
// bytes are, as ever.
struct StoredCorpus {
  StoredCorpus() = default;
  StoredCorpus(const Corpus& corpus)  // NOLINT(google-explicit-constructor): any corpus can be one of these
      : classes(corpus.classes), images(corpus.images), left_out(corpus.left_out) {}

  std::vector<Class> classes;
  StoredList<Image> images;
  StoredList<LeftOut> left_out;
};

// All of it in memory, which takes some kilobytes an image.
Corpus in_memory(const StoredCorpus& corpus);

std::vector<std::string> class_names(const StoredCorpus& corpus);

std::size_t count_of_part(const StoredCorpus& corpus, const std::string& part);

// The lowest index of an image whose file name an earlier one has; the size of the list if there is none.
std::size_t first_repeated_file(const StoredList<Image>& images);

// Bindings, so that a new member can't be forgotten: it has to be named here to compile.
template <class Fields>
void visit(Fields& fields, Annotation& record) {
  auto& [box, category, label, origin] = record;
  fields(box, category, label, origin);
}

template <class Fields>
void visit(Fields& fields, Change& record) {
  auto& [rule, detail] = record;
  fields(rule, detail);
}

template <class Fields>
void visit(Fields& fields, Image& record) {
  auto& [id, file, width, height, source, source_file, sha256, part, group, pixel_size_um, annotations,
         absent, not_exhaustive, ignore_regions, regions_complete, changes, path] = record;
  fields(id, file, width, height, source, source_file, sha256, part, group, pixel_size_um, annotations,
         absent, not_exhaustive, ignore_regions, regions_complete, changes, path);
}

template <class Fields>
void visit(Fields& fields, LeftOut& record) {
  auto& [source, source_file, sha256, change] = record;
  fields(source, source_file, sha256, change);
}

}  // namespace smearscope::corpus
