// Reading files that may be anything.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "smearscope/error.h"

namespace smearscope {

// A regular file, open for reading.
class InputFile {
 public:
  // Throws Error, without the path, if it can't be opened or is something else: a folder, a pipe, a device.
  explicit InputFile(const std::string& path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  std::uint64_t size() const { return size_; }  // bytes, when it was opened

  // The next `bytes` bytes. Throws Error if the file ends before.
  void read(void* data, std::size_t bytes);

 private:
  int descriptor_;
  std::uint64_t size_ = 0;
};

}  // namespace smearscope
