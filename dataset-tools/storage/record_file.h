// Records of any length, on disk instead of in memory: bytes in, a place out.
#pragma once

#include <cstdint>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>

namespace smearscope::corpus {

// Not an Error: it is not an input's fault, and there is no going on.
struct StorageFailed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Records are appended and never changed. What is appended last is kept in memory, up to 256 KiB; all before
// it lies in a temporary file, which is made when it is first needed. It has no name, so that nothing is left
// of it however the process ends, and it lies in $TMPDIR, else in /var/tmp, which is on a disk where /tmp may
// be in memory. Thread-safe. Both calls throw StorageFailed, in a line that says where and what to do, if the
// file can't be made, written (a full disk) or read.
class RecordFile {
 public:
  using Place = std::uint64_t;

  RecordFile() = default;
  ~RecordFile();
  RecordFile(const RecordFile&) = delete;
  RecordFile& operator=(const RecordFile&) = delete;

  // A record of less than 4 GiB.
  Place append(std::string_view bytes);
  // The record at a place that append has returned.
  std::string read(Place place) const;

 private:
  void write_buffer();

  mutable std::mutex mutex_;  // guards what follows; what is in the file is read without it
  std::string buffer_;        // whole records
  Place written_ = 0;         // bytes in the file
  int file_ = -1;
};

}  // namespace smearscope::corpus
