#include "tools/commands.h"

namespace smearscope::training {

const std::vector<Command>& commands() {
  static const std::vector<Command> all{
      train_command, import_command, evaluate_command, report_command, quantise_command,
  };
  return all;
}

}  // namespace smearscope::training
