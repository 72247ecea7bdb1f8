#include "gallery/gallery_writer.h"

#include <exception>
#include <utility>

#include "smearscope/error.h"

namespace smearscope {
namespace {

constexpr std::size_t most_waiting = 4;     // frames, of up to 100 MB each
constexpr unsigned most_not_in_table = 16;  // changes that a power cut may leave out of cells.csv

}  // namespace

GalleryWriter::GalleryWriter(const std::string& folder) : files_(folder), thread_([this] { run(); }) {}

GalleryWriter::~GalleryWriter() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    jobs_.clear();
  }
  changed_.notify_all();
  thread_.join();
}

bool GalleryWriter::ready(bool wait) {
  std::unique_lock<std::mutex> lock(mutex_);
  const auto has_room = [this] { return jobs_.size() < most_waiting || !error_.empty(); };
  if (wait) changed_.wait(lock, has_room);
  check();
  return has_room();
}

void GalleryWriter::add(GalleryFrame frame) {
  push([frame = std::move(frame)](GalleryFiles& files) { files.add(frame); });
}

void GalleryWriter::rename(std::uint64_t number, const std::string& class_name) {
  push([number, class_name](GalleryFiles& files) { files.rename(number, class_name); });
}

void GalleryWriter::finish() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return (jobs_.empty() && !busy_ && not_in_table_ == 0) || !error_.empty(); });
  check();
}

void GalleryWriter::push(Job job) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    check();
    jobs_.push_back(std::move(job));
  }
  changed_.notify_all();
}

void GalleryWriter::check() const {
  if (!error_.empty()) throw Error(error_);
}

void GalleryWriter::run() {
  while (const std::optional<Job> job = next()) {
    std::string error;
    try {
      (*job)(files_);
    } catch (const std::exception& failure) {
      error = failure.what();
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    busy_ = false;
    if (error.empty()) continue;
    error_ = error;
    jobs_.clear();
    changed_.notify_all();
    return;
  }
}

// What is to be done next; nothing when it is time to end.
std::optional<GalleryWriter::Job> GalleryWriter::next() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.notify_all();  // the last one is done
  changed_.wait(lock, [this] { return stopping_ || !jobs_.empty() || not_in_table_ > 0; });
  if (stopping_) return std::nullopt;
  busy_ = true;
  if (jobs_.empty() || not_in_table_ >= most_not_in_table) {
    not_in_table_ = 0;
    return [](GalleryFiles& files) { files.write_table(); };
  }
  ++not_in_table_;
  Job job = std::move(jobs_.front());
  jobs_.pop_front();
  return job;
}

}  // namespace smearscope
