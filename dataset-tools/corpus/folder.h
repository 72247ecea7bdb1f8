// A corpus on disk: images/, annotations/{train,val,test,all}.json (COCO JSON; all.json has the images that
// belong to no part), provenance.csv.
#pragma once

#include <filesystem>
#include <string>

#include "corpus/new_folder.h"
#include "corpus/stored_corpus.h"
#include "smearscope/error.h"

namespace smearscope::corpus {

// Reads the annotations of all parts (at least one must be there; instances_train.json, as COCO has it and
// `export --format coco` writes it, is as good as train.json) and, if there, provenance.csv. Throws Error
// as read_coco and read_provenance do, and if an image file is missing or lies outside the folder (a link), a
// file name is used twice, or the parts have different classes.
StoredCorpus open_corpus(const std::filesystem::path& folder);
// The same, all of it in memory.
Corpus read_corpus(const std::filesystem::path& folder);

// A corpus folder that is being written; there whole or not at all.
class NewCorpus {
 public:
  explicit NewCorpus(const std::filesystem::path& folder) : folder_(folder) {}  // throws Error as NewFolder

  // Where to write the image of that name. Throws Error if the name leaves the folder. Thread-safe.
  std::filesystem::path image_path(const std::string& file) const;
  // Writes annotations (of parts that have images) and provenance, and gives the folder its name. Throws
  // Error if two images have one file name or something can't be written.
  void finish(const StoredCorpus& corpus);

 private:
  NewFolder folder_;
};

// How the bytes of images get into another corpus: by copies, or, where the file system can, by hard links.
enum class Transfer { copy, link };

// Throws std::filesystem::filesystem_error if `from` can't be read or `to` can't be written.
void transfer_file(const std::filesystem::path& from, const std::filesystem::path& to, Transfer transfer);

// Writes a new corpus folder with each image's bytes from Image::path. Throws Error as NewCorpus does, or if
// an image can't be read or written.
void write_corpus(const std::filesystem::path& folder, const StoredCorpus& corpus,
                  Transfer transfer = Transfer::copy);

// SHA-256 (64 hex digits) over classes, annotations and image bytes, in file order; says whether two folders
// hold the same corpus. Reads every image file.
std::string digest_of(const StoredCorpus& corpus);

std::string sha256_of_text(const std::string& text);

// SHA-256 of a file's bytes. Throws Error if it can't be read.
std::string sha256_of_file(const std::filesystem::path& file);

}  // namespace smearscope::corpus
