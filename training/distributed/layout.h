// Which of how many processes this one is, as whatever started them says.
#pragma once

#include <optional>
#include <string>

#include "smearscope/error.h"

namespace smearscope::training {

struct ProcessLayout {
  int rank = 0, count = 1;
  int on_this_machine = 1;            // of them, as far as known
  std::optional<int> local_rank;      // which of those on its machine, from 0, where the starter says so
  std::string address = "127.0.0.1";  // of rank 0's machine
  int port = 29501;                   // on which rank 0 listens
};

// From the environment of torchrun (RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE, MASTER_ADDR,
// MASTER_PORT), Open MPI's mpirun (OMPI_COMM_WORLD_*), MPICH's and Intel's (PMI_RANK, PMI_SIZE,
// MPI_LOCALRANKID, MPI_LOCALNRANKS) or Slurm's srun (SLURM_PROCID, SLURM_NTASKS, SLURM_LOCALID,
// SLURM_STEP_NODELIST); one process alone where none of them is there. The port is MASTER_PORT + 1, as
// torchrun itself listens on MASTER_PORT. MASTER_ADDR is needed where processes run on several machines and
// the starter doesn't say which is the first. Throws Error on values that make no sense.
ProcessLayout layout_from_environment();

// "node[03-05,9],x1" -> "node03": the first of Slurm's list of hosts.
std::string first_host(const std::string& node_list);

}  // namespace smearscope::training
