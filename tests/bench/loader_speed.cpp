// How fast training images are read, decoded and augmented, without a network:
//   loader_speed REGIMEN CORPUS BATCHES THREADS
// Prints images/s of the first BATCHES batches, nothing decoded before.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "loop/loader.h"
#include "loop/regimen.h"
#include "loop/samples.h"

int main(int argc, char** argv) {
  using namespace smearscope::training;
  if (argc != 5) {
    std::fprintf(stderr, "usage: loader_speed REGIMEN CORPUS BATCHES THREADS\n");
    return 2;
  }
  try {
    const Regimen regimen = read_regimen(argv[1]);
    const Samples samples({{argv[2]}}, regimen, 1);
    const auto batches = static_cast<std::size_t>(std::atoi(argv[3]));
    const auto start = std::chrono::steady_clock::now();
    Loader loader(samples, 0, batches, std::atoi(argv[4]));
    std::size_t images = 0;
    for (std::size_t i = 0; i < batches; ++i) images += loader.next().samples.size();
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    std::printf("%.2f\n", static_cast<double>(images) / seconds);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "loader_speed: %s\n", problem.what());
    return 1;
  }
}
