// smearscope-train: models made and measured. Each command is in commands/.
#include <cstdio>
#include <iostream>

#include "network/failure.h"
#include "tools/commands.h"

namespace smearscope::training {
namespace {

void print_help() {
  std::cout << "Usage: smearscope-train COMMAND [options]; smearscope-train COMMAND --help lists them\n\n";
  for (const Command& command : commands()) std::printf("  %-10s %s\n", command.name, command.summary);
}

bool is_help(const std::string& word) {
  return word == "--help" || word == "-h";
}

int run(const std::vector<std::string>& words) {
  const std::string name = words.empty() ? "" : words.front();
  if (is_help(name)) {
    print_help();
    return 0;
  }
  if (name == "--version") {
    std::cout << "smearscope-train " SMEARSCOPE_VERSION "\n";
    return 0;
  }
  for (const Command& command : commands()) {
    if (name != command.name) continue;
    const std::vector<std::string> rest(words.begin() + 1, words.end());
    if (rest.size() == 1 && is_help(rest.front())) {
      std::cout << command.help;
      return 0;
    }
    return command.run(rest);
  }
  throw Error((name.empty() ? "no command" : "unknown command '" + name + "'") + see_help);
}

}  // namespace
}  // namespace smearscope::training

int main(int argc, char** argv) {
  try {
    return smearscope::training::run({argv + 1, argv + argc});
  } catch (const smearscope::Error& problem) {
    std::cerr << "smearscope-train: " << problem.what() << "\n";
  } catch (const std::exception& problem) {
    std::cerr << "smearscope-train: "
              << (smearscope::training::is_out_of_memory(problem) ? "out of memory"
                                                                  : smearscope::training::first_line(problem))
              << "\n";
  }
  return 1;
}
