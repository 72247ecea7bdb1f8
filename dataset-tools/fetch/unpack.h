// Unpacks zip and tar archives from strangers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "smearscope/error.h"

namespace smearscope::corpus {

// Against archives made to fill a disk. The largest source unpacks to 17,092 files and 0.3 GB.
struct UnpackLimits {
  std::uint64_t bytes = std::uint64_t{8} << 30;
  std::uint64_t files = 500000;
};

struct Unpacked {
  std::uint64_t files = 0, bytes = 0;
  std::vector<std::string> left_out;  // links and devices: name and kind
};

// The archive's own fault: damaged, dangerous, or none at all.
class BadArchive : public Error {
 public:
  using Error::Error;
};

// Unpacks `archive` (zip; tar, also compressed with gzip, bzip2, xz or zstd) into `folder`, which must be
// empty and not be written to by others. Only plain files and folders are made, so that nothing written can
// lead outside; links and devices are left out. macOS's own litter (__MACOSX/, .DS_Store, ._*) is dropped
// silently. Leaves what was unpacked until then and throws BadArchive if the file is no archive, is damaged,
// encrypted or beyond the limits, or has a name that is absolute, contains "..", a backslash or control
// characters, or is there twice; another Error if it can't be read or the disk is full.
Unpacked unpack(const std::filesystem::path& archive, const std::filesystem::path& folder,
                const UnpackLimits& limits = {});

}  // namespace smearscope::corpus
