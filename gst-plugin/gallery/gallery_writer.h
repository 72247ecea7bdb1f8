// Writes a gallery beside the stream.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "gallery/gallery_files.h"

namespace smearscope {

// A thread of its own writes what is given, in this order, and cells.csv at most once a second and at the
// end: PNG takes long, and a camera does not wait. Functions are called from one thread at a time; they throw
// Error if a file could not be written, also one given earlier, and nothing more is written from then on.
class GalleryWriter {
 public:
  explicit GalleryWriter(const std::string& folder);  // as GalleryFiles
  ~GalleryWriter();                                   // what still waits is lost
  const std::string& folder() const { return files_.folder(); }
  GalleryWriter(const GalleryWriter&) = delete;
  GalleryWriter& operator=(const GalleryWriter&) = delete;

  // Whether one more would be taken at once; with `wait` waits until it is.
  bool ready(bool wait);

  void add(GalleryFrame frame);
  void rename(std::uint64_t number, const std::string& class_name);

  void finish();  // waits until all is written

 private:
  using Job = std::function<void(GalleryFiles&)>;
  using Clock = std::chrono::steady_clock;

  void push(Job job);
  void check() const;  // with the lock
  void run();
  std::optional<Job> next();

  GalleryFiles files_;  // the thread's, once it runs
  std::mutex mutex_;    // guards the rest
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  bool busy_ = false, stopping_ = false;
  bool table_due_ = false, finishing_ = false;
  Clock::time_point table_written_{};
  std::string error_;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace smearscope
