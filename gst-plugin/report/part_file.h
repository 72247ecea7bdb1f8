// A text file that grows frame by frame and gets its name when it is complete.
#pragma once

#include <cstdio>
#include <string>

#include "smearscope/error.h"

namespace smearscope {

// Text goes to `path` + ".part", flushed at each write so that a power cut loses none that was written;
// finish() puts the file in place of `path`. Not thread-safe. Every function throws Error, naming the file,
// if it can't be written.
class PartFile {
 public:
  explicit PartFile(std::string path);
  ~PartFile();  // without finish(): leaves the ".part" file as it is
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  void write(const std::string& text);
  void sync();  // waits until it is on the disk: a power cut then loses nothing of it
  void finish();

 private:
  [[noreturn]] void fail(const char* what) const;

  std::string path_;
  std::string part_;
  std::FILE* file_;
};

}  // namespace smearscope
