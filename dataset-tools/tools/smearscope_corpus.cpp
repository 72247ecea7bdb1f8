// smearscope-corpus: data sets in their own layouts -> one COCO corpus. Each command is in commands/.
#include <iostream>
#include <new>

#include "readers/reader.h"
#include "tools/commands.h"

namespace smearscope::corpus {
namespace {

void print_usage(const Command& command) {
  std::cout << "smearscope-corpus " << command.name << " " << command.usage << "\n    ";
  for (const char* c = command.help; *c; ++c) {
    std::cout << *c;
    if (*c == '\n') std::cout << (c[1] ? "    " : "");
  }
}

void print_help() {
  std::cout << "Data sets of blood cell images in, one corpus out.\n\n";
  for (const Command& command : commands()) {
    print_usage(command);
    std::cout << "\n";
  }
  std::cout
      << "DIR of --output must not exist yet. Exit status: 0 done; 1 failed, nothing written; 2 done, but\n"
         "something of the input could not be read and was left out (lines on standard error say what).\n\n"
         "Sources (KIND):\n";
  for (const Reader& reader : readers())
    std::cout << "  " << reader.name << "\t" << reader.description << "\n";
}

int run(const std::vector<std::string>& words) {
  const std::string name = words.empty() ? "" : words.front();
  if (name == "--help" || name == "-h") {
    print_help();
    return done;
  }
  if (name == "--version") {
    std::cout << "smearscope-corpus " SMEARSCOPE_VERSION "\n";
    return done;
  }
  for (const Command& command : commands()) {
    if (name != command.name) continue;
    if (words.size() == 2 && (words[1] == "--help" || words[1] == "-h")) {
      print_usage(command);
      return done;
    }
    const std::vector<std::string> rest(words.begin() + 1, words.end());
    return command.run(Arguments(rest, command.options, command.flags, command.repeatable));
  }
  throw Error((name.empty() ? "no command" : "unknown command '" + name + "'") +
              "; see smearscope-corpus --help");
}

}  // namespace
}  // namespace smearscope::corpus

int main(int argc, char** argv) {
  try {
    return smearscope::corpus::run({argv + 1, argv + argc});
  } catch (const std::bad_alloc&) {
    std::cerr << "smearscope-corpus: not enough memory; fewer --threads need less\n";
    return smearscope::corpus::failed;
  } catch (const std::exception& problem) {
    std::cerr << "smearscope-corpus: " << problem.what() << "\n";
    return smearscope::corpus::failed;
  }
}
