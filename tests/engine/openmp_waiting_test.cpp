#include "network/openmp_waiting.h"

#include <gtest/gtest.h>
#include <omp.h>
#include <time.h>

#include <chrono>
#include <cstdlib>
#include <thread>

namespace smearscope::network {
namespace {

double cpu_milliseconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

// CPU time while all but one thread of a team as large as the machine wait for the one, which sleeps: 20
// times 10 ms.
double cost_of_waiting() {
  const double start = cpu_milliseconds();
  for (int round = 0; round < 20; ++round) {
#pragma omp parallel num_threads(omp_get_num_procs())
    if (omp_get_thread_num() == omp_get_num_threads() - 1)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return cpu_milliseconds() - start;
}

TEST(OpenMp, WaitingThreadsLeaveTheirCoreToOthers) {
  if (std::getenv("OMP_WAIT_POLICY") || std::getenv("GOMP_SPINCOUNT"))
    GTEST_SKIP() << "waiting is set by the user";
  if (omp_get_num_procs() < 2) GTEST_SKIP() << "one core: nobody waits";
  cost_of_waiting();  // threads start
  const double spinning = cost_of_waiting();
  let_waiting_threads_sleep();
  std::this_thread::sleep_for(std::chrono::milliseconds(100));  // the idle team starts
  const double sleeping = cost_of_waiting();
  RecordProperty("spinning_ms", std::to_string(spinning));
  RecordProperty("sleeping_ms", std::to_string(sleeping));
  EXPECT_LT(sleeping, 10) << "spinning took " << spinning << " ms";
}

}  // namespace
}  // namespace smearscope::network
