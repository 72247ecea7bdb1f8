// Zip archives as torch.save writes them: entries stored, not compressed; zip64 records; data descriptors.
// Format: PKWARE's APPNOTE.TXT 6.3, sections 4.3 to 4.5.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "smearscope/error.h"

namespace smearscope::checkpoint {

class ZipArchive {
 public:
  // Reads the central directory of `file`, which must outlive this. Throws Error (one line, without the
  // file's name) if it is damaged, or if an entry is compressed or encrypted, lies outside the file or in
  // another entry, or has another one's name.
  explicit ZipArchive(std::string_view file);

  // Names in the order of the directory; at least one.
  const std::vector<std::string_view>& names() const { return names_; }
  bool has(std::string_view name) const { return entries_.count(name) > 0; }
  // An entry's bytes. Throws Error if there is none of that name, if it is compressed or encrypted, or if its
  // checksum is wrong.
  std::string_view read(std::string_view name);

 private:
  struct Entry {
    std::string_view bytes;  // as they are in the file
    std::uint64_t size = 0;  // of what they stand for
    std::uint32_t checksum = 0;
    bool is_compressed = false, is_encrypted = false;
    bool checked = false;
  };
  std::vector<std::string_view> names_;
  std::unordered_map<std::string_view, Entry> entries_;
  bool has_checksums_ = false;  // PyTorch can leave them out; then all are 0
};

}  // namespace smearscope::checkpoint
