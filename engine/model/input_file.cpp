#include "model/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace smearscope {

// O_NONBLOCK: opening a pipe that nobody writes to must fail, not wait.
InputFile::InputFile(const std::string& path)
    : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
  if (descriptor_ < 0) throw Error(std::string("cannot open: ") + std::strerror(errno));
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(descriptor_);
    throw Error(S_ISDIR(status.st_mode) ? "is a folder, not a file" : "is not a regular file");
  }
  size_ = static_cast<std::uint64_t>(status.st_size);
}

InputFile::~InputFile() {
  ::close(descriptor_);
}

void InputFile::read(void* data, std::size_t bytes) {
  auto* out = static_cast<std::uint8_t*>(data);
  while (bytes > 0) {
    const ::ssize_t got = ::read(descriptor_, out, bytes);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw Error(std::string("cannot read: ") + std::strerror(errno));
    if (got == 0) throw Error("became shorter while it was read");
    out += got;
    bytes -= static_cast<std::size_t>(got);
  }
}

}  // namespace smearscope
