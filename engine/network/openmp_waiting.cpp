#include "network/openmp_waiting.h"

#include <omp.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <system_error>
#include <thread>

namespace smearscope::network {
namespace {

// A thread with an OpenMP team of its own, idle for good: libgomp counts the team's second thread.
void keep_an_idle_team() {
  std::atomic<int> members{0};  // a region without work would not be compiled
#pragma omp parallel num_threads(2)
  ++members;
  for (;;) pause();
}

bool start_once() {
  if (std::getenv("OMP_WAIT_POLICY") || std::getenv("GOMP_SPINCOUNT")) return false;
  try {
    std::thread(keep_an_idle_team).detach();
  } catch (const std::system_error&) {  // no thread to be had: slower, not wrong
    return false;
  }
  return true;
}

}  // namespace

void let_waiting_threads_sleep() {
  static const bool started = start_once();
  static_cast<void>(started);
}

}  // namespace smearscope::network
