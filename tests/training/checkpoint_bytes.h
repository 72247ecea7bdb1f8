// PyTorch checkpoints, good and bad, made byte by byte: pickles, zip archives, the legacy format.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "model/checksum.h"

namespace smearscope::testing {

inline std::string little_endian(std::uint64_t value, unsigned bytes) {
  std::string out;
  for (unsigned i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i));
  return out;
}

// A pickle of protocol 2, one instruction after the other.
class PickleWriter {
 public:
  PickleWriter& raw(const std::string& bytes) {
    bytes_ += bytes;
    return *this;
  }
  PickleWriter& text(const std::string& value) { return raw("X" + little_endian(value.size(), 4) + value); }
  PickleWriter& whole(std::int64_t value) {  // LONG1 of 8 bytes holds any
    return value >= 0 && value < 256 ? raw("K" + little_endian(static_cast<std::uint64_t>(value), 1))
                                     : raw("\x8a\x08" + little_endian(static_cast<std::uint64_t>(value), 8));
  }
  PickleWriter& name(const std::string& module, const std::string& name) {
    return raw("c" + module + "\n" + name + "\n");
  }
  PickleWriter& tuple(const std::vector<std::int64_t>& values) {
    raw("(");
    for (const std::int64_t value : values) whole(value);
    return raw("t");
  }
  PickleWriter& storage(const std::string& key, const std::string& type, std::int64_t elements) {
    return raw("(").text("storage").name("torch", type).text(key).text("cpu").whole(elements).raw("tQ");
  }
  // torch._utils._rebuild_tensor_v2 of a storage.
  PickleWriter& tensor(const std::string& key, const std::string& type, std::int64_t elements,
                       std::int64_t offset, const std::vector<std::int64_t>& shape,
                       const std::vector<std::int64_t>& strides) {
    name("torch._utils", "_rebuild_tensor_v2").raw("(").storage(key, type, elements);
    whole(offset).tuple(shape).tuple(strides).raw("\x89");
    return name("collections", "OrderedDict").raw(")RtR");
  }
  std::string end() const { return "\x80\x02" + bytes_ + "."; }

 private:
  std::string bytes_;
};

inline std::vector<std::int64_t> dense_strides(const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return strides;
}

// One entry of a zip archive; what is set to something else than the default lies in the directory.
struct ZipEntry {
  std::string name, bytes;
  unsigned method = 0, flags = 0x808;
  std::int64_t size = -1, packed = -1, header = -1, checksum = -1;  // -1: the truth
};

enum class ZipStyle { plain, torch };  // torch: padding to 64 bytes, sizes behind the bytes, zip64 records

inline std::string zip_archive(const std::vector<ZipEntry>& entries, ZipStyle style = ZipStyle::torch) {
  std::string out, directory;
  const auto or_truth = [](std::int64_t value, std::uint64_t truth) {
    return value < 0 ? truth : static_cast<std::uint64_t>(value);
  };
  const bool torch = style == ZipStyle::torch;
  for (const ZipEntry& entry : entries) {
    const std::size_t header = out.size();
    const std::uint64_t sum = crc32(entry.bytes.data(), entry.bytes.size());
    const std::string crc = little_endian(or_truth(entry.checksum, sum), 4);
    const std::string size = little_endian(entry.bytes.size(), 4);
    const std::string versions =
        little_endian(entry.flags, 2) + little_endian(entry.method, 2) + little_endian(0, 4);
    std::string extra;
    if (torch) {
      const std::size_t padding = 64 - (header + 30 + entry.name.size() + 4) % 64;
      extra = "FB" + little_endian(padding, 2) + std::string(padding, 'Z');
    }
    out += "PK\x03\x04" + std::string(2, '\0') + versions +
           (torch ? std::string(12, '\0') : crc + size + size) + little_endian(entry.name.size(), 2) +
           little_endian(extra.size(), 2) + entry.name + extra + entry.bytes;
    if (torch) out += "PK\x07\x08" + crc + size + size;
    const std::uint64_t listed_size = or_truth(entry.size, entry.bytes.size());
    const std::uint64_t listed_packed = or_truth(entry.packed, entry.bytes.size());
    const std::uint64_t listed_header = or_truth(entry.header, header);
    std::string wide;  // a zip64 record holds what doesn't fit 32 bits
    for (const std::uint64_t value : {listed_size, listed_packed, listed_header})
      if (value >= 0xFFFFFFFF) wide += little_endian(value, 8);
    if (!wide.empty()) wide = little_endian(1, 2) + little_endian(wide.size(), 2) + wide;
    const auto narrow = [](std::uint64_t value) {
      return little_endian(value >= 0xFFFFFFFF ? 0xFFFFFFFF : value, 4);
    };
    directory += "PK\x01\x02" + std::string(4, '\0') + versions + crc + narrow(listed_packed) +
                 narrow(listed_size) + little_endian(entry.name.size(), 2) + little_endian(wide.size(), 2) +
                 std::string(10, '\0') + narrow(listed_header) + entry.name + wide;
  }
  const std::uint64_t count = entries.size(), begin = out.size(), end64 = begin + directory.size();
  out += directory;
  if (torch) {
    out += "PK\x06\x06" + little_endian(44, 8) + std::string(4, '\0') + std::string(8, '\0') +
           little_endian(count, 8) + little_endian(count, 8) + little_endian(directory.size(), 8) +
           little_endian(begin, 8);
    out += "PK\x06\x07" + std::string(4, '\0') + little_endian(end64, 8) + little_endian(1, 4);
  }
  // A zip64 record is there, and one field says so.
  return out + "PK\x05\x06" + std::string(4, '\0') + little_endian(count, 2) + little_endian(count, 2) +
         little_endian(directory.size(), 4) + little_endian(torch ? 0xFFFFFFFF : begin, 4) +
         std::string(2, '\0');
}

struct StoredNumbers {
  std::string key, bytes;
  std::uint64_t elements;
};

// The zip format.
inline std::string checkpoint(const std::string& pickle, const std::vector<StoredNumbers>& storages = {},
                              const std::string& byte_order = "little") {
  std::vector<ZipEntry> entries{{"name/data.pkl", pickle}, {"name/byteorder", byte_order}};
  for (const StoredNumbers& storage : storages)
    entries.push_back({"name/data/" + storage.key, storage.bytes});
  entries.push_back({"name/version", "3\n"});
  return zip_archive(entries);
}

inline std::string legacy_checkpoint(const std::string& pickle,
                                     const std::vector<StoredNumbers>& storages = {}) {
  std::string out("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15);
  out += PickleWriter().whole(1001).end() + PickleWriter().raw("}").text("little_endian").raw("\x88s").end() +
         pickle;
  PickleWriter keys;
  keys.raw("](");
  for (const StoredNumbers& storage : storages) keys.text(storage.key);
  out += keys.raw("e").end();
  for (const StoredNumbers& storage : storages) out += little_endian(storage.elements, 8) + storage.bytes;
  return out;
}

}  // namespace smearscope::testing
