// A corpus on disk: images/ and annotations/train.json, annotations/val.json (COCO JSON).
#pragma once

#include <filesystem>
#include <string>

#include "corpus/records.h"
#include "smearscope/error.h"

namespace smearscope::corpus {

// Reads both parts; a corpus may lack one of them, not both. Throws Error as read_coco does, and if an image
// file is missing or the parts have different classes.
Corpus read_corpus(const std::filesystem::path& folder);

// Throws Error if write_corpus would refuse to write there: something that isn't an empty folder is there
// already.
void check_is_new(const std::filesystem::path& folder);

// Writes a new folder: annotation files (only of parts that have images), and each image's bytes copied from
// Image::path. The folder appears whole or not at all. Throws Error if it exists already (an empty one is
// fine), two images have one file name, or something can't be read or written.
void write_corpus(const std::filesystem::path& folder, const Corpus& corpus);

// SHA-256 (64 hex digits) over classes, annotations and image bytes, in file order; says whether two folders
// hold the same corpus. Reads every image file.
std::string digest_of(const Corpus& corpus);

std::string sha256_of_text(const std::string& text);

// SHA-256 of a file's bytes. Throws Error if it can't be read.
std::string sha256_of_file(const std::filesystem::path& file);

}  // namespace smearscope::corpus
