#include "corpus/new_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>

namespace smearscope::corpus {

namespace fs = std::filesystem;

void check_is_new(const fs::path& folder) {
  std::error_code ignored;
  if (fs::exists(folder, ignored) && !(fs::is_directory(folder) && fs::is_empty(folder))) {
    throw Error(folder.string() + ": exists already; name a new folder or remove it");
  }
}

// "name/" and "name" are the same folder, but only the second has a place beside it.
NewFolder::NewFolder(const fs::path& folder)
    : folder_(folder.has_filename() ? folder : folder.parent_path()), beside_(folder_.string() + ".new") {
  try {
    check_is_new(folder_);
    fs::create_directories(beside_);
    lock();
    for (const auto& left : fs::directory_iterator(beside_)) fs::remove_all(left.path());  // of a killed run
  } catch (const fs::filesystem_error& problem) {
    throw Error(folder_.string() + ": cannot write the folder: " + problem.code().message());
  }
}

void NewFolder::lock() {
  lock_ = ::open(beside_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (lock_ >= 0 && ::flock(lock_, LOCK_EX | LOCK_NB) == 0) return;
  if (lock_ >= 0) ::close(lock_);
  throw Error(folder_.string() + ": another program is writing it just now (" + beside_.string() +
              " is locked)");
}

NewFolder::~NewFolder() {
  std::error_code ignored;
  if (!finished_) fs::remove_all(beside_, ignored);
  ::close(lock_);
}

fs::path NewFolder::file(const fs::path& name) const {
  if (name.empty() || name.is_absolute() || std::find(name.begin(), name.end(), "..") != name.end())
    throw Error("file name '" + name.string() + "' leaves the folder " + folder_.string());
  const fs::path path = beside_ / name;
  std::error_code problem;
  if (name.has_parent_path()) fs::create_directories(path.parent_path(), problem);
  if (problem) throw Error(folder_.string() + ": cannot write the folder: " + problem.message());
  return path;
}

void NewFolder::finish() {
  std::error_code problem;
  fs::remove(folder_, problem);  // an empty folder, or nothing
  fs::rename(beside_, folder_, problem);
  if (problem) throw Error(folder_.string() + ": cannot give the folder its name: " + problem.message());
  finished_ = true;
}

}  // namespace smearscope::corpus
