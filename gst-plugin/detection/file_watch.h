// Whether a file gave its place to another one.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <tuple>

namespace smearscope {

// Looks at a path when it is told to, which works on any file system, network ones included. Another file, or
// another content, shows in device, inode, size or a time stamp; what is being written keeps changing them,
// so a change counts once it has rested. A file that is gone is no change. One thread at a time.
class FileWatch {
 public:
  using Clock = std::chrono::steady_clock;

  // What lies at `path` now is known. A path at which nothing lies, or an empty one, is fine.
  explicit FileWatch(const std::string& path);

  // Once per change: true if what lies at `path` is not what is known, and was the same in every call since
  // `rest` before `now`. It is known from then on.
  bool changed(const std::string& path, Clock::duration rest, Clock::time_point now);

 private:
  // Device, inode, bytes, modification and status change in nanoseconds since 1970.
  using Identity = std::tuple<dev_t, ino_t, off_t, long long, long long>;
  static std::optional<Identity> identity_of(const std::string& path);

  std::optional<Identity> known_, candidate_;
  Clock::time_point candidate_since_;
};

}  // namespace smearscope
