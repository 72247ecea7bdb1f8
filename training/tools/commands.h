// The commands of smearscope-train, one file each in commands/.
#pragma once

#include <string>
#include <vector>

#include "tools/options.h"

namespace smearscope::training {

struct Command {
  const char* name;
  const char* summary;  // one line
  const char* help;     // what --help after the command prints
  int (*run)(
      const std::vector<std::string>& words);  // those after the command's name; returns the exit status
};

extern const Command import_command;
extern const Command evaluate_command;
extern const Command quantise_command;
extern const Command report_command;
extern const Command train_command;

const std::vector<Command>& commands();

}  // namespace smearscope::training
