#include "storage/record_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <limits>

namespace smearscope::corpus {
namespace {

constexpr std::size_t buffer_bytes = 256 << 10;
constexpr std::size_t usual_bytes = 4096;  // of a record; read at once, so that one call is enough for most

using Length = std::uint32_t;  // is before each record

std::string temporary_folder() {
  const char* named = std::getenv("TMPDIR");
  return named && *named ? named : "/var/tmp";
}

[[noreturn]] void fail(const std::string& what) {
  throw StorageFailed(temporary_folder() + ": cannot " + what + " a temporary file: " + std::strerror(errno) +
                      " (TMPDIR can name another folder)");
}

int open_temporary() {
  const std::string folder = temporary_folder();
  int file = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (file >= 0) return file;
  // Not every file system has files without a name.
  std::string name = folder + "/smearscope-XXXXXX";
  file = ::mkostemp(name.data(), O_CLOEXEC);
  if (file < 0) fail("make");
  ::unlink(name.c_str());
  return file;
}

// As many bytes as there are, up to `size`.
std::size_t read_at(int file, RecordFile::Place place, char* to, std::size_t size) {
  std::size_t done = 0;
  while (done < size) {
    const ::ssize_t count = ::pread(file, to + done, size - done, static_cast<::off_t>(place + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("read");
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  return done;
}

}  // namespace

RecordFile::~RecordFile() {
  if (file_ >= 0) ::close(file_);
}

RecordFile::Place RecordFile::append(std::string_view bytes) {
  if (bytes.size() > std::numeric_limits<Length>::max())
    throw StorageFailed("one record has more than 4 GiB");
  const auto length = static_cast<Length>(bytes.size());
  const std::lock_guard lock(mutex_);
  if (!buffer_.empty() && buffer_.size() + sizeof length + bytes.size() > buffer_bytes) write_buffer();
  const Place place = written_ + buffer_.size();
  buffer_.append(reinterpret_cast<const char*>(&length), sizeof length);
  buffer_.append(bytes);
  return place;
}

void RecordFile::write_buffer() {
  if (file_ < 0) file_ = open_temporary();
  for (std::size_t done = 0; done < buffer_.size();) {
    const ::ssize_t count =
        ::pwrite(file_, buffer_.data() + done, buffer_.size() - done, static_cast<::off_t>(written_ + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("write");
    done += static_cast<std::size_t>(count);
  }
  written_ += buffer_.size();
  // One long record doesn't keep its memory.
  if (buffer_.capacity() > 2 * buffer_bytes) buffer_ = {};
  buffer_.clear();
}

std::string RecordFile::read(Place place) const {
  Length length = 0;
  {
    const std::lock_guard lock(mutex_);
    if (place >= written_) {
      const char* record = buffer_.data() + (place - written_);
      std::memcpy(&length, record, sizeof length);
      return {record + sizeof length, length};
    }
  }
  char first[usual_bytes];
  const std::size_t available = read_at(file_, place, first, sizeof first);
  if (available < sizeof length) fail("read");
  std::memcpy(&length, first, sizeof length);
  std::string record(length, '\0');
  const std::size_t here = std::min<std::size_t>(length, available - sizeof length);
  std::memcpy(record.data(), first + sizeof length, here);
  if (read_at(file_, place + sizeof length + here, record.data() + here, length - here) < length - here)
    fail("read");
  return record;
}

}  // namespace smearscope::corpus
