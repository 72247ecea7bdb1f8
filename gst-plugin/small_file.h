// Files that a user names in a property and that are read as a whole.
#pragma once

#include <string>

namespace smearscope {

// The bytes of the file at `path`, 16 MiB at most; a pipe is read to its end. Throws Error, which begins with
// `property` and the path, where it can't be read or is larger.
std::string read_small_file(const std::string& property, const std::string& path);

}  // namespace smearscope
