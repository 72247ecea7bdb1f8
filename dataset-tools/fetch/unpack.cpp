#include "fetch/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <locale.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>

namespace smearscope::corpus {
namespace {

namespace fs = std::filesystem;

using Reader = std::unique_ptr<archive, decltype(&archive_read_free)>;

// How a file that is no archive begins, so that a login page is told from a damaged download.
std::string beginning_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  char bytes[24] = {};
  in.read(bytes, sizeof bytes);
  std::string text;
  for (std::streamsize i = 0; i < in.gcount(); ++i) {
    text += bytes[i] >= ' ' && bytes[i] < 127 ? bytes[i] : '.';
  }
  const bool page = text.find("<!DOCTYPE") != text.npos || text.find("<!doctype") != text.npos ||
                    text.find("<html") != text.npos;
  return "it begins with '" + text + "'" +
         (page ? ": a web page; the site may want you to log in, so download the archive in a browser and "
                 "give "
                 "it with --mirror FILE"
               : "");
}

Reader open_archive(const fs::path& file) {
  Reader reader(archive_read_new(), archive_read_free);
  if (!reader) throw Error("libarchive cannot be used");
  archive_read_support_format_zip_seekable(reader.get());  // by its directory: notices a missing end
  archive_read_support_format_tar(reader.get());
  archive_read_support_filter_gzip(reader.get());
  archive_read_support_filter_bzip2(reader.get());
  archive_read_support_filter_xz(reader.get());
  archive_read_support_filter_zstd(reader.get());
  if (archive_read_open_filename(reader.get(), file.c_str(), 1 << 16) != ARCHIVE_OK) {
    throw BadArchive(file.string() + ": cannot be read as a zip or tar archive (" +
                     archive_error_string(reader.get()) + "); " + beginning_of(file));
  }
  return reader;
}

std::string entry_name(archive_entry* entry) {
  const char* name = archive_entry_pathname_utf8(entry);
  if (name == nullptr) name = archive_entry_pathname(entry);  // bytes that are not UTF-8
  return name == nullptr ? "" : name;
}

std::string printable(const std::string& name) {
  std::string text;
  for (const unsigned char c : name.substr(0, 200)) text += c < ' ' || c == 127 ? '?' : static_cast<char>(c);
  return "'" + text + "'";
}

void check_name(const std::string& name, const fs::path& archive) {
  const auto refuse = [&](const char* why) {
    throw BadArchive(archive.string() + ": refused: its entry " + printable(name) + " " + why);
  };
  if (name.empty()) refuse("has no name");
  if (name.size() > 1000) refuse("has a name of more than 1000 bytes");
  if (name.front() == '/') refuse("is an absolute path");
  for (const unsigned char c : name) {
    if (c < ' ' || c == 127 || c == '\\') refuse("has a backslash or a control character in its name");
  }
  for (const fs::path& part : fs::path(name)) {
    if (part == "..") refuse("leads outside");
  }
}

bool is_litter(const std::string& name) {
  for (const fs::path& part : fs::path(name)) {
    const std::string text = part.string();
    if (text == "__MACOSX" || text == ".DS_Store" || text.rfind("._", 0) == 0) return true;
  }
  return false;
}

// libarchive converts names to the thread's locale, and gives none that don't fit; everything fits into
// UTF-8.
class Utf8Locale {
 public:
  Utf8Locale() : ours_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
    if (ours_ != nullptr) before_ = ::uselocale(ours_);
  }
  ~Utf8Locale() {
    if (ours_ == nullptr) return;
    ::uselocale(before_);
    ::freelocale(ours_);
  }
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;

 private:
  ::locale_t ours_, before_ = nullptr;
};

class NewFile {
 public:
  explicit NewFile(const fs::path& path) : path_(path) {
    fs::create_directories(path.parent_path());
    descriptor_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (descriptor_ < 0 && errno == EEXIST) throw BadArchive(path.string() + ": is in the archive twice");
    if (descriptor_ < 0) fail("cannot be written");
  }
  ~NewFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  void write(const char* data, std::size_t bytes, std::int64_t offset) {
    while (bytes > 0) {
      const ::ssize_t written = ::pwrite(descriptor_, data, bytes, offset);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail("cannot be written");
      data += written;
      offset += written;
      bytes -= static_cast<std::size_t>(written);
    }
  }

 private:
  [[noreturn]] void fail(const char* what) const {
    throw Error(path_.string() + ": " + what + " (" + std::strerror(errno) + ")");
  }

  fs::path path_;
  int descriptor_ = -1;
};

class Unpacking {
 public:
  Unpacking(const fs::path& archive, const fs::path& folder, const UnpackLimits& limits)
      : archive_(archive), folder_(folder), limits_(limits), reader_(open_archive(archive)) {}

  Unpacked run() {
    archive_entry* entry = nullptr;
    while (true) {
      const int status = archive_read_next_header(reader_.get(), &entry);
      if (status == ARCHIVE_EOF) break;
      check(status);
      take(entry);
    }
    // An empty archive, and any file that libarchive mistakes for one.
    if (done_.files == 0) throw BadArchive(archive_.string() + ": holds no files; " + beginning_of(archive_));
    return done_;
  }

 private:
  void check(int status) const {
    if (status == ARCHIVE_OK || status == ARCHIVE_WARN) return;
    const char* text = archive_error_string(reader_.get());
    throw BadArchive(archive_.string() + ": damaged or not an archive (" +
                     (text != nullptr ? text : "unknown") + ")" +
                     (done_.files == 0 ? "; " + beginning_of(archive_) : ""));
  }

  void take(archive_entry* entry) {
    const std::string name = entry_name(entry);
    check_name(name, archive_);
    if (is_litter(name)) return;
    if (++entries_ > limits_.files) {
      throw BadArchive(archive_.string() + ": refused: more than " + std::to_string(limits_.files) +
                       " entries");
    }
    const auto type = archive_entry_filetype(entry);
    if (archive_entry_symlink(entry) != nullptr || archive_entry_hardlink(entry) != nullptr) {
      done_.left_out.push_back(printable(name) + ": a link");
    } else if (type == AE_IFDIR) {
      fs::create_directories(folder_ / name);
    } else if (type == AE_IFREG) {
      write_file(folder_ / name);
    } else {
      done_.left_out.push_back(printable(name) + ": not a plain file");
    }
  }

  void write_file(const fs::path& path) {
    NewFile file(path);
    const void* data = nullptr;
    std::size_t bytes = 0;
    std::int64_t offset = 0;
    while (true) {
      const int status = archive_read_data_block(reader_.get(), &data, &bytes, &offset);
      if (status == ARCHIVE_EOF) break;
      check(status);
      // Offsets count too: a sparse file may claim to be vast.
      const auto end = static_cast<std::uint64_t>(offset) + bytes;
      if (offset < 0 || end > limits_.bytes || (done_.bytes += bytes) > limits_.bytes) {
        throw BadArchive(archive_.string() + ": refused: unpacks to more than " +
                         std::to_string(limits_.bytes) + " bytes");
      }
      file.write(static_cast<const char*>(data), bytes, offset);
    }
    ++done_.files;
  }

  const fs::path& archive_;
  const fs::path& folder_;
  UnpackLimits limits_;
  Reader reader_;
  Unpacked done_;
  std::uint64_t entries_ = 0;
};

}  // namespace

Unpacked unpack(const fs::path& archive, const fs::path& folder, const UnpackLimits& limits) {
  const Utf8Locale utf8;
  try {
    return Unpacking(archive, folder, limits).run();
  } catch (const fs::filesystem_error& problem) {
    throw Error(archive.string() + ": cannot be unpacked: " + problem.what());
  }
}

}  // namespace smearscope::corpus
