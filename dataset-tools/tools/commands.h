// The commands of smearscope-corpus, one file each in commands/.
#pragma once

#include <string>
#include <vector>

#include "tools/arguments.h"

namespace smearscope::corpus {

// Exit status: 0 all well; 1 (or an exception) failed, nothing was written; 2 done, but something of the
// input could not be read and was left out, as lines on standard error say.
constexpr int done = 0, failed = 1, done_with_gaps = 2;

struct Command {
  const char* name;
  const char* usage;                                    // arguments, one line: "DIR... --output DIR"
  const char* help;                                     // lines of up to 100 characters
  std::vector<std::string> options, flags, repeatable;  // names without "--"; see Arguments
  int (*run)(const Arguments& arguments);
};

int run_standardise(const Arguments& arguments);
int run_merge(const Arguments& arguments);
int run_split(const Arguments& arguments);
int run_build(const Arguments& arguments);
int run_check(const Arguments& arguments);
int run_export(const Arguments& arguments);
int run_stats(const Arguments& arguments);
int run_preview(const Arguments& arguments);
int run_fetch(const Arguments& arguments);

const std::vector<Command>& commands();

}  // namespace smearscope::corpus
