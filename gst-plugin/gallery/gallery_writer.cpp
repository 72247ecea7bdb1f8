#include "gallery/gallery_writer.h"

#include <exception>
#include <utility>

#include "smearscope/error.h"

namespace smearscope {
namespace {

constexpr std::size_t most_waiting = 4;  // frames, of up to 100 MB each
constexpr std::chrono::seconds table_age{1};

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
  finishing_ = true;
  changed_.notify_all();
  changed_.wait(lock, [this] { return (jobs_.empty() && !busy_ && !table_due_) || !error_.empty(); });
  finishing_ = false;
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
  const auto is_old = [this] { return Clock::now() - table_written_ >= table_age; };
  const auto has_work = [&] {
    return stopping_ || !jobs_.empty() || (table_due_ && (finishing_ || is_old()));
  };
  while (!has_work()) {
    if (table_due_)
      changed_.wait_until(lock, table_written_ + table_age);
    else
      changed_.wait(lock);
  }
  if (stopping_) return std::nullopt;
  busy_ = true;
  if (table_due_ && (is_old() || jobs_.empty())) {
    table_due_ = false;
    table_written_ = Clock::now();
    return [](GalleryFiles& files) { files.write_table(); };
  }
  table_due_ = true;
  Job job = std::move(jobs_.front());
  jobs_.pop_front();
  return job;
}

}  // namespace smearscope
