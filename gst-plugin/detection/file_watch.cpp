#include "detection/file_watch.h"

#include <sys/stat.h>

namespace smearscope {
namespace {

long long nanoseconds(const timespec& time) {
  return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

}  // namespace

FileWatch::FileWatch(const std::string& path) : known_(identity_of(path)) {}

bool FileWatch::changed(const std::string& path, Clock::duration rest, Clock::time_point now) {
  const std::optional<Identity> current = identity_of(path);
  if (!current || current == known_) {
    candidate_.reset();
    return false;
  }
  if (current != candidate_) {
    candidate_ = current;
    candidate_since_ = now;
  }
  if (now - candidate_since_ < rest) return false;
  known_ = current;
  return true;
}

std::optional<FileWatch::Identity> FileWatch::identity_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return Identity{status.st_dev, status.st_ino, status.st_size, nanoseconds(status.st_mtim),
                  nanoseconds(status.st_ctim)};
}

}  // namespace smearscope
