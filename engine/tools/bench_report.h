// Times of a benchmark run, and how they are shown.
#pragma once

#include <string>
#include <vector>

#include "smearscope/detector.h"

namespace smearscope::bench {

struct Workload {
  std::string model, device, precision;
  int width = 0, height = 0, batch = 0, threads = 0, calls = 0;
  double detections_per_frame = 0;
};

// One value per detect call.
struct Samples {
  std::vector<StageTimes> stages;
  std::vector<double> wall;  // milliseconds of the whole call
  std::vector<double> cpu;   // milliseconds of all threads together
};

// Middle value (mean of the two middle ones), and the smallest value that 99% of the values don't exceed.
double median(std::vector<double> values);
double percentile99(std::vector<double> values);

// "AMD EPYC ..., 2 of 2 cores usable".
std::string processor();

std::string table(const Workload& workload, const Samples& samples);
std::string json(const Workload& workload, const Samples& samples);

}  // namespace smearscope::bench
