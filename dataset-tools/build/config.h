// What `smearscope-corpus build` makes, as a TOML file; corpora/*.toml are examples, and say what keys mean.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "corpus/scale.h"
#include "corpus/split.h"
#include "smearscope/error.h"

namespace smearscope::corpus {

struct BuildConfig {
  struct Source {
    std::string kind;   // of reader
    std::string input;  // folder, relative to that of the data sets
    std::string name;   // of its step; the kind, with a number where a kind comes again
  };

  std::string taxonomy = "cells";  // a built-in one, or a file relative to the config's folder
  bool keep_general = true;
  Scaling scaling;
  std::vector<Source> sources;  // in order: the earlier keeps a picture that both have
  SplitOptions split;
};

// Throws Error, with file and line, on anything that isn't as it should be: unknown keys and kinds included.
BuildConfig load_build_config(const std::filesystem::path& file);
BuildConfig parse_build_config(const std::string& toml, const std::string& name);

}  // namespace smearscope::corpus
