#include "model/file_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace smearscope {
namespace {

[[noreturn]] void fail(const char* what) {
  throw Error(std::string(what) + ": " + std::strerror(errno));
}

// A renamed device or pipe would be gone.
void refuse_special_file(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    throw Error(S_ISDIR(status.st_mode) ? "is a folder" : "is not a regular file");
  }
}

// Differs between threads and processes that write the same path at the same time.
std::string unique_ending() {
  static std::atomic<unsigned> count{0};
  return ".new-" + std::to_string(::getpid()) + "-" + std::to_string(count++);
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

// A new file beside `path`, gone again unless it was renamed.
class NewFile {
 public:
  explicit NewFile(const std::string& path) : name_(path + unique_ending()) {
    ::unlink(name_.c_str());                   // left by a killed process of the same number
    if (::access("/proc/self/fd", X_OK) == 0)  // how give_name reaches the file
      descriptor_ = ::open(folder_of(path).c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
    has_name_ = descriptor_ < 0;
    if (has_name_) descriptor_ = ::open(name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ < 0) fail("cannot create a file in its folder");
  }
  ~NewFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (has_name_) ::unlink(name_.c_str());
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  void write(const void* data, std::size_t bytes) {
    const auto* in = static_cast<const char*>(data);
    while (bytes > 0) {
      const ::ssize_t written = ::write(descriptor_, in, bytes);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail("cannot write");
      in += written;
      bytes -= static_cast<std::size_t>(written);
    }
  }

  void rename_to(const std::string& path) {
    if (::fsync(descriptor_) != 0) fail("cannot write to the disk");
    if (!has_name_) give_name();
    const int closed = ::close(descriptor_);
    descriptor_ = -1;
    if (closed != 0) fail("cannot write to the disk");
    if (std::rename(name_.c_str(), path.c_str()) != 0) fail("cannot rename the new file to it");
    has_name_ = false;
  }

 private:
  void give_name() {
    const std::string self = "/proc/self/fd/" + std::to_string(descriptor_);
    if (::linkat(AT_FDCWD, self.c_str(), AT_FDCWD, name_.c_str(), AT_SYMLINK_FOLLOW) != 0)
      fail("cannot name the new file");
    has_name_ = true;
  }

  std::string name_;
  int descriptor_ = -1;
  bool has_name_ = false;
};

// Makes the rename itself last through a power cut. Some file systems can't; then the new file stands all the
// same.
void sync_folder_of(const std::string& path) {
  const int descriptor = ::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

}  // namespace

void replace_file(const std::string& path, const std::vector<std::pair<const void*, std::size_t>>& parts) {
  try {
    refuse_special_file(path);
    NewFile file(path);
    for (const auto& [data, bytes] : parts) file.write(data, bytes);
    file.rename_to(path);
  } catch (const Error& problem) {
    throw Error(path + ": " + problem.what());
  }
  sync_folder_of(path);
}

}  // namespace smearscope
