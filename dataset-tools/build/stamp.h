// Stamps say what something was made from; it is up to date as long as its stamp is what it would be now.
#pragma once

#include <filesystem>
#include <string>

#include "smearscope/error.h"

namespace smearscope::corpus {

// 64 hex digits over the text and this program's version.
std::string stamp_of_text(const std::string& text);

// Over names, sizes and times of change of all files in a folder and its subfolders.
std::string stamp_of_files(const std::filesystem::path& folder);

// Is there such a file, and does it say `stamp`?
bool is_stamped(const std::filesystem::path& file, const std::string& stamp);

// Throws Error if the file can't be written.
void write_stamp(const std::filesystem::path& file, const std::string& stamp);

}  // namespace smearscope::corpus
