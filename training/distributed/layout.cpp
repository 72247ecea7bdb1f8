#include "distributed/layout.h"

#include <algorithm>
#include <cstdlib>
#include <optional>

namespace smearscope::training {
namespace {

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  if (!value || !*value) return {};
  return std::string(value);
}

int number(const char* name, int least, int most) {
  const std::string text = variable(name).value_or("");
  char* end = nullptr;
  const long value = std::strtol(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0' || value < least || value > most) {
    throw Error("the environment variable " + std::string(name) + " is \"" + text +
                "\"; it must be a number from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return static_cast<int>(value);
}

// The variables of one way to start processes.
struct Starter {
  const char* rank;
  const char* count;
  const char* local_rank;
  const char* on_this_machine;  // number of processes here, where it says so
};
constexpr Starter starters[] = {
    {"RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"},
    {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK",
     "OMPI_COMM_WORLD_LOCAL_SIZE"},
    {"PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID", "MPI_LOCALNRANKS"},
    {"SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID", nullptr},
};

std::string address_of_first(const Starter& starter, int count) {
  if (const auto address = variable("MASTER_ADDR")) return *address;
  if (const auto nodes = variable("SLURM_STEP_NODELIST")) return first_host(*nodes);
  if (starter.on_this_machine && variable(starter.on_this_machine) == std::to_string(count))
    return "127.0.0.1";
  throw Error(
      "MASTER_ADDR is missing: set it to the name of the machine on which the process of rank 0 runs");
}

}  // namespace

std::string first_host(const std::string& node_list) {
  const std::size_t bracket = node_list.find('[');
  const std::size_t comma = node_list.find(',');
  if (bracket == std::string::npos || comma < bracket) return node_list.substr(0, comma);
  const std::size_t end = node_list.find_first_of("-,]", bracket);
  if (end == std::string::npos) throw Error("a list of hosts has no end: \"" + node_list + "\"");
  const std::size_t closing = node_list.find(']', bracket);
  std::string after;  // a name may go on behind the brackets
  if (closing != std::string::npos) {
    const std::size_t next = node_list.find(',', closing);
    after = node_list.substr(closing + 1, next == std::string::npos ? next : next - closing - 1);
  }
  return node_list.substr(0, bracket) + node_list.substr(bracket + 1, end - bracket - 1) + after;
}

ProcessLayout layout_from_environment() {
  for (const Starter& starter : starters) {
    if (!variable(starter.rank) || !variable(starter.count)) continue;
    ProcessLayout layout;
    layout.count = number(starter.count, 1, 1 << 16);
    layout.rank = number(starter.rank, 0, layout.count - 1);
    if (layout.count == 1) return layout;
    if (starter.on_this_machine && variable(starter.on_this_machine))
      layout.on_this_machine = number(starter.on_this_machine, 1, layout.count);
    if (variable(starter.local_rank)) {
      const bool knows_how_many = layout.on_this_machine > 1;
      layout.local_rank =
          number(starter.local_rank, 0, (knows_how_many ? layout.on_this_machine : layout.count) - 1);
    }
    layout.address = address_of_first(starter, layout.count);
    if (variable("MASTER_PORT")) layout.port = number("MASTER_PORT", 1, 65534) + 1;
    return layout;
  }
  return {};
}

}  // namespace smearscope::training
