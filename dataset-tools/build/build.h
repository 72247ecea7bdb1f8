// A corpus from a config: standardise each source, merge, split.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "build/config.h"
#include "corpus/stored_corpus.h"
#include "smearscope/error.h"

namespace smearscope::corpus {

struct BuildOptions {
  std::filesystem::path data;           // where the sources' folders are
  std::filesystem::path config_folder;  // what a taxonomy's file name is relative to
  std::filesystem::path output;         // the corpus
  unsigned threads = 0;                 // 0: all processors
  std::function<void(const std::string&)> tell = [](const std::string&) {};  // a line about each step
};

// Makes the corpus `output`. Results of the steps are kept in OUTPUT.steps/, each with a stamp of all that it
// was made from (files by name, size and time; settings; version); what is up to date is not made again.
// Killed at any moment and started again, it ends with the same corpus. Returns the corpus. Throws Error as
// the steps do, or if `output` is there and wasn't made by build.
StoredCorpus build(const BuildConfig& config, const BuildOptions& options);

}  // namespace smearscope::corpus
