// Whole files, or nothing.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "smearscope/error.h"

namespace smearscope {

// Writes `parts`, one after the other, to a new file beside `path`, syncs it to the disk and renames it to
// `path`: whoever opens `path` sees the old file or the whole new one. Throws Error, beginning with `path`
// and with the new file removed, if any of that fails, or if `path` is something else than a regular file.
// Where the file system can do it (O_TMPFILE), the new file has no name until it is whole, so that a killed
// process leaves nothing either.
void replace_file(const std::string& path, const std::vector<std::pair<const void*, std::size_t>>& parts);

}  // namespace smearscope
