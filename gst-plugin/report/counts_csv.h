// Counts per frame and class as a CSV file, one row per class that a frame shows:
//   frame,time_s,class,count
//   0,0.000,rbc,21
//   0,0.000,wbc,1
// `frame` counts from 0, `time_s` is the frame's running time in seconds (empty if it has none). A frame
// without cells has one row with an empty class and count 0, so every frame is in the file. Class names are
// quoted where CSV (RFC 4180) needs it.
#pragma once

#include <cstdint>
#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cell_meta.h"

namespace smearscope {

// Rows go to `path` + ".part", flushed frame by frame so that a power cut loses none that was written;
// finish() puts the file in its place. Not thread-safe. Every function throws Error, naming the file, if it
// can't be written.
class CountsCsv {
 public:
  explicit CountsCsv(std::string path);
  ~CountsCsv();  // without finish(): leaves the rows so far in the ".part" file
  CountsCsv(const CountsCsv&) = delete;
  CountsCsv& operator=(const CountsCsv&) = delete;

  void add(std::optional<double> time_s, const std::vector<Cell>& cells);
  void finish();

 private:
  void write(const std::string& text);
  [[noreturn]] void fail(const char* what) const;

  std::string path_;
  std::string part_;
  std::FILE* file_;
  std::uint64_t frames_ = 0;
};

}  // namespace smearscope
