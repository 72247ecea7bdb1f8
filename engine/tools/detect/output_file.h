// A file that appears whole, or not at all.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace smearscope::detect {

// Writes beside `path` and renames on commit; without commit nothing is left behind, and an old file stays as
// it was. A path that exists and is no regular file (a pipe, a device) is written straight to.
class OutputFile {
 public:
  explicit OutputFile(const std::string& path);  // throws Error if it can't be written there
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void write(std::string_view bytes);  // throws Error, e.g. on a full disk
  void commit();                       // throws Error

 private:
  [[noreturn]] void fail(const char* what);

  std::string path_, target_, temporary_;  // as given; links followed; empty when written straight
  std::FILE* file_ = nullptr;
};

}  // namespace smearscope::detect
