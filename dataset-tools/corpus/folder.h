// A corpus on disk: images/, annotations/{train,val,test,all}.json (COCO JSON; all.json has the images that
// belong to no part), provenance.csv.
#pragma once

#include <filesystem>
#include <string>

#include "corpus/records.h"
#include "smearscope/error.h"

namespace smearscope::corpus {

// Reads the annotations of all parts (at least one must be there) and, if there, provenance.csv. Throws Error
// as read_coco and read_provenance do, and if an image file is missing or lies outside the folder (a link), a
// file name is used twice, or the parts have different classes.
Corpus read_corpus(const std::filesystem::path& folder);

// Throws Error if a corpus can't be written there: something that isn't an empty folder is there already.
void check_is_new(const std::filesystem::path& folder);

// A corpus folder that is being written, as FOLDER.new. It appears whole, when it is finished, or not at all;
// what a killed run has left in FOLDER.new is cleared away by the next.
class NewCorpus {
 public:
  // Throws Error as check_is_new does, or if the folder can't be created or is being written by another
  // program.
  explicit NewCorpus(const std::filesystem::path& folder);
  ~NewCorpus();  // removes what was not finished
  NewCorpus(const NewCorpus&) = delete;
  NewCorpus& operator=(const NewCorpus&) = delete;

  // Where to write the image of that name. Throws Error if the name leaves the folder. Thread-safe.
  std::filesystem::path image_path(const std::string& file) const;
  // Writes annotations (of parts that have images) and provenance, and gives the folder its name. Throws
  // Error if two images have one file name or something can't be written.
  void finish(const Corpus& corpus);

 private:
  void lock();

  std::filesystem::path folder_, beside_;
  int lock_ = -1;  // file descriptor of the locked folder
  bool finished_ = false;
};

// How the bytes of images get into another corpus: by copies, or, where the file system can, by hard links.
enum class Transfer { copy, link };

// Writes a new corpus folder with each image's bytes from Image::path. Throws Error as NewCorpus does, or if
// an image can't be read or written.
void write_corpus(const std::filesystem::path& folder, const Corpus& corpus,
                  Transfer transfer = Transfer::copy);

// SHA-256 (64 hex digits) over classes, annotations and image bytes, in file order; says whether two folders
// hold the same corpus. Reads every image file.
std::string digest_of(const Corpus& corpus);

std::string sha256_of_text(const std::string& text);

// SHA-256 of a file's bytes. Throws Error if it can't be read.
std::string sha256_of_file(const std::filesystem::path& file);

}  // namespace smearscope::corpus
