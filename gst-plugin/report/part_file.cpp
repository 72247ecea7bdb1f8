#include "report/part_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace smearscope {

PartFile::PartFile(std::string path)
    : path_(std::move(path)), part_(path_ + ".part"), file_(std::fopen(part_.c_str(), "we")) {
  if (file_ == nullptr) fail("cannot be created");
}

PartFile::~PartFile() {
  if (file_ != nullptr) std::fclose(file_);
}

void PartFile::write(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), file_) != text.size() || std::fflush(file_) != 0) {
    fail("cannot be written");
  }
}

void PartFile::sync() {
  const bool can_wait = ::fdatasync(::fileno(file_)) == 0 || errno == EINVAL;  // a pipe can't
  if (!can_wait) fail("cannot be written");
}

void PartFile::finish() {
  if (file_ == nullptr) return;
  std::FILE* const file = file_;
  file_ = nullptr;
  if (std::fclose(file) != 0) fail("cannot be written");
  if (std::rename(part_.c_str(), path_.c_str()) != 0) fail("cannot be put in place of the file before it");
}

void PartFile::fail(const char* what) const {
  throw Error(part_ + ": " + what + ": " + std::strerror(errno));
}

}  // namespace smearscope
