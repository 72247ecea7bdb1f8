// Which images belong together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "corpus/stored_corpus.h"
#include "smearscope/error.h"

namespace smearscope::corpus {

// For each image the index of the first image that it belongs together with (its own if with none before
// it): by declared group, or through `pairs` of images, or through a chain of both.
std::vector<std::uint32_t> together_with(const StoredList<Image>& images,
                                         const std::vector<std::pair<std::size_t, std::size_t>>& pairs);

// Declares groups: `file` is CSV with the columns file,group and a header line that says so; file is an
// image's source_file or its name in the corpus. Throws Error, naming file and line, if it can't be read, or
// names an image that isn't there.
void declare_groups(const std::string& file, StoredList<Image>& images);

}  // namespace smearscope::corpus
