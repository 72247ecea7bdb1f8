// A folder that is there whole or not at all.
#pragma once

#include <filesystem>

#include "smearscope/error.h"

namespace smearscope::corpus {

// Throws Error if a folder can't be written there: something that isn't an empty folder is there already.
void check_is_new(const std::filesystem::path& folder);

// A folder that is being written, as FOLDER.new, and gets its name when it is finished. What a killed run has
// left in FOLDER.new is cleared away by the next.
class NewFolder {
 public:
  // Throws Error as check_is_new does, or if the folder can't be created or is being written by another
  // program.
  explicit NewFolder(const std::filesystem::path& folder);
  ~NewFolder();  // removes what was not finished
  NewFolder(const NewFolder&) = delete;
  NewFolder& operator=(const NewFolder&) = delete;

  const std::filesystem::path& name() const { return folder_; }  // when it is finished
  const std::filesystem::path& path() const { return beside_; }  // where to write now

  // Where to write the file of that name; the folders that it lies in are made. Throws Error if the name
  // leaves the folder, or those can't be made. Thread-safe.
  std::filesystem::path file(const std::filesystem::path& name) const;

  // Throws Error if the folder can't be given its name.
  void finish();

 private:
  void lock();

  std::filesystem::path folder_, beside_;
  int lock_ = -1;  // file descriptor of the locked folder
  bool finished_ = false;
};

}  // namespace smearscope::corpus
