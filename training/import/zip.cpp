#include "import/zip.h"

#include <algorithm>
#include <utility>

#include "model/checksum.h"
#include "model/text.h"

namespace smearscope::checkpoint {
namespace {

constexpr std::uint64_t most_entries = 100'000;                          // a checkpoint has one per tensor
constexpr std::uint64_t in_zip64_16 = 0xFFFF, in_zip64_32 = 0xFFFFFFFF;  // the field is in the zip64 record

[[noreturn]] void fail(const std::string& what) {
  throw Error("damaged zip archive: " + what);
}

// A record: little-endian fields at fixed offsets. Throws Error if it does not begin within the file with
// `signature`, or does not end in it.
class Record {
 public:
  Record(std::string_view file, std::uint64_t at, std::size_t bytes, std::string_view signature) {
    if (at > file.size() || bytes > file.size() - at || file.substr(at, 4) != signature)
      fail("a record is not where it should be");
    bytes_ = file.substr(at, bytes);
  }
  std::uint64_t number(std::size_t at, std::size_t bytes) const {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i)
      value |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes_[at + i])) << (8 * i);
    return value;
  }

 private:
  std::string_view bytes_;
};

struct Directory {
  std::uint64_t begin = 0, bytes = 0, entries = 0;
  std::uint64_t end_record = 0;  // where what follows it begins
};

// The record that ends the file; a comment of up to 64 KiB may follow it.
std::uint64_t find_end_record(std::string_view file) {
  constexpr std::size_t record = 22;
  for (std::size_t back = record; back <= std::min<std::size_t>(file.size(), record + 0xFFFF); ++back) {
    const std::size_t at = file.size() - back;
    if (file.substr(at, 4) != "PK\x05\x06") continue;
    if (Record(file, at, record, "PK\x05\x06").number(20, 2) == back - record) return at;
  }
  fail("its end is missing (cut short?)");
}

Directory find_directory(std::string_view file) {
  Directory directory;
  directory.end_record = find_end_record(file);
  const Record end(file, directory.end_record, 22, "PK\x05\x06");
  directory.entries = end.number(10, 2);
  directory.bytes = end.number(12, 4);
  directory.begin = end.number(16, 4);
  if (end.number(4, 4) != 0 || end.number(8, 2) != directory.entries) fail("it is one part of several");
  if (directory.entries == in_zip64_16 || directory.bytes == in_zip64_32 || directory.begin == in_zip64_32) {
    if (directory.end_record < 20) fail("its zip64 record is missing");
    const Record locator(file, directory.end_record - 20, 20, "PK\x06\x07");
    directory.end_record = locator.number(8, 8);
    const Record end64(file, directory.end_record, 56, "PK\x06\x06");
    directory.entries = end64.number(32, 8);
    directory.bytes = end64.number(40, 8);
    directory.begin = end64.number(48, 8);
  }
  if (directory.entries > most_entries)
    throw Error("has more than 100,000 entries: no checkpoint of weights");
  if (directory.begin > directory.end_record || directory.bytes > directory.end_record - directory.begin)
    fail("its directory ends outside the file");
  return directory;
}

// What the directory says of an entry.
struct Listed {
  std::string_view name;
  std::uint64_t method = 0, flags = 0, checksum = 0;
  std::uint64_t packed = 0, size = 0, header = 0;  // bytes, bytes, place of its local header
};

// The values that did not fit their fields, in this order, each only if it is needed.
void read_zip64(std::string_view extra, Listed& entry) {
  while (extra.size() >= 4) {
    const auto byte = [&](std::size_t i) {
      return static_cast<std::size_t>(static_cast<unsigned char>(extra[i]));
    };
    const std::size_t id = byte(0) | byte(1) << 8U, bytes = byte(2) | byte(3) << 8U;
    if (bytes > extra.size() - 4) break;
    if (id == 1) {
      std::size_t at = 4;
      for (std::uint64_t* value : {&entry.size, &entry.packed, &entry.header}) {
        if (*value != in_zip64_32) continue;
        if (at + 8 > bytes + 4) fail("the zip64 record of " + quoted(entry.name) + " is too short");
        *value = Record(extra, 0, extra.size(), extra.substr(0, 4)).number(at, 8);
        at += 8;
      }
      return;
    }
    extra.remove_prefix(4 + bytes);
  }
}

Listed read_listed(std::string_view directory, std::size_t& at) {
  constexpr std::size_t fixed = 46;
  const Record record(directory, at, fixed, "PK\x01\x02");
  Listed entry;
  entry.flags = record.number(8, 2);
  entry.method = record.number(10, 2);
  entry.checksum = record.number(16, 4);
  entry.packed = record.number(20, 4);
  entry.size = record.number(24, 4);
  entry.header = record.number(42, 4);
  const std::size_t name = record.number(28, 2), extra = record.number(30, 2), comment = record.number(32, 2);
  if (name + extra + comment > directory.size() - at - fixed) fail("its directory is cut short");
  entry.name = directory.substr(at + fixed, name);
  read_zip64(directory.substr(at + fixed + name, extra), entry);
  at += fixed + name + extra + comment;
  return entry;
}

// Where its bytes begin; its local header and they lie before `limit`.
std::uint64_t begin_of(std::string_view file, const Listed& entry, std::uint64_t limit) {
  constexpr std::uint64_t fixed = 30;
  const Record header(file.substr(0, limit), entry.header, fixed, "PK\x03\x04");
  const std::uint64_t name = header.number(26, 2), extra = header.number(28, 2);
  const std::uint64_t room = limit - entry.header - fixed;
  if (name + extra > room || entry.packed > room - name - extra)
    fail("the entry " + quoted(entry.name) + " ends outside the file");
  if (file.substr(entry.header + fixed, name) != entry.name)
    fail("the entry " + quoted(entry.name) + " has another name at its place");
  return entry.header + fixed + name + extra;
}

}  // namespace

ZipArchive::ZipArchive(std::string_view file) {
  const Directory directory = find_directory(file);
  const std::string_view listed = file.substr(directory.begin, directory.bytes);
  std::vector<std::pair<std::uint64_t, std::uint64_t>> extents;
  std::size_t at = 0;
  for (std::uint64_t i = 0; i < directory.entries; ++i) {
    const Listed entry = read_listed(listed, at);
    const std::uint64_t begin = begin_of(file, entry, directory.begin);
    extents.emplace_back(entry.header, begin + entry.packed);
    Entry kept;
    kept.bytes = file.substr(begin, entry.packed);
    kept.size = entry.size;
    kept.checksum = static_cast<std::uint32_t>(entry.checksum);
    kept.is_compressed = entry.method != 0;
    kept.is_encrypted = (entry.flags & 1U) != 0;
    if (!entries_.emplace(entry.name, kept).second) fail("the entry " + quoted(entry.name) + " comes twice");
    names_.push_back(entry.name);
    has_checksums_ = has_checksums_ || entry.checksum != 0;
  }
  if (names_.empty()) fail("it is empty");
  std::sort(extents.begin(), extents.end());
  for (std::size_t i = 1; i < extents.size(); ++i) {
    if (extents[i].first < extents[i - 1].second) fail("its entries overlap");
  }
}

std::string_view ZipArchive::read(std::string_view name) {
  const auto found = entries_.find(name);
  if (found == entries_.end()) fail("it has no entry " + quoted(name));
  Entry& entry = found->second;
  if (entry.is_encrypted) throw Error("the entry " + quoted(name) + " is encrypted");
  if (entry.is_compressed) {
    throw Error("the entry " + quoted(name) +
                " is compressed, as torch.save never does: save it with torch.save");
  }
  if (entry.bytes.size() != entry.size) fail("the entry " + quoted(name) + " has two sizes");
  if (has_checksums_ && !entry.checked && crc32(entry.bytes.data(), entry.bytes.size()) != entry.checksum)
    fail("the checksum of the entry " + quoted(name) + " is wrong");
  entry.checked = true;
  return entry.bytes;
}

}  // namespace smearscope::checkpoint
