// The folder of a data set. It is a stranger's: links in it may lead anywhere, and files may be of any size.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "corpus/records.h"
#include "readers/reader.h"
#include "smearscope/error.h"
#include "storage/file_list.h"

namespace smearscope::corpus {

class SourceFolder {
 public:
  // `source`: the data set's name. `prefix`: what the names of its files begin with in records and notes
  // ("BCCD/"), whatever the folder is called here. They must not depend on where the folder is: the same data
  // set gives the same corpus anywhere.
  SourceFolder(std::filesystem::path root, std::string source, std::string prefix = "");

  const std::filesystem::path& root() const { return root_; }
  const std::string& source() const { return source_; }
  std::string name_of(const std::filesystem::path& file) const;  // prefix and path from the root, with '/'

  // The files of a folder, by name, with those of the folders in it if `recursive`. No hidden ones, and none
  // behind links to folders. Throws Error if the folder can't be read.
  FileList files(const std::filesystem::path& folder, bool recursive = false) const;

  // The bytes of a label file. Throws Error, beginning with its name, if it isn't there, is no file, is a
  // link that leads outside, has more than `most` bytes or can't be read.
  std::string read_text(const std::filesystem::path& file, std::size_t most) const;

  // Does the file lie in the folder, with all links followed? True if there is none.
  bool holds(const std::filesystem::path& file) const;

  // A record for the image file, with `file` as its name in the corpus.
  Image image(const std::filesystem::path& path, const std::string& file, const std::string& part = "") const;

  // Adds the image to the set, or to what is left out: links that lead outside, and names that are no text.
  void add(DataSet& set, const Image& image) const;

  void leave_out(DataSet& set, const std::filesystem::path& file, const char* rule,
                 const std::string& why) const;

 private:
  std::filesystem::path root_, canonical_;
  std::string source_, prefix_;
};

// Gives images whose name in the corpus an earlier one has already that of their source_file.
void name_apart(DataSet& set);

// Is it an image file, by its name? (.jpg, .jpeg, .png, .bmp, .tif, .tiff, .webp in any case)
bool is_image_name(const std::filesystem::path& file);

// `folder`, or the only folder in it, of which `holds` is true. Throws Error, saying `expected`, if there is
// none, or several.
std::filesystem::path find_root(const std::filesystem::path& folder,
                                bool (*holds)(const std::filesystem::path&), const std::string& expected);

// What a folder is called, also where it is given as "." or "name/".
std::string own_name(const std::filesystem::path& folder);

}  // namespace smearscope::corpus
