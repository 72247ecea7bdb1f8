// The engine as the parity oracle and the speed comparison drive it: reads names of PPM files (P6, 8 bits)
// from standard input, one a line, and answers each with one line of JSON: detections, wall and CPU
// milliseconds.
// With a batch above 1 each picture goes in that many times in one call, and the answer is the last one's.
//   detect_frames MODEL [THREADS [DEVICE [PRECISION [BATCH]]]]
#include <ctime>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "smearscope/detector.h"

namespace {

struct Picture {
  int width = 0, height = 0;
  std::vector<std::uint8_t> pixels;
};

Picture read_ppm(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string magic;
  int largest = 0;
  Picture picture;
  file >> magic >> picture.width >> picture.height >> largest;
  file.get();
  picture.pixels.assign(std::istreambuf_iterator<char>(file), {});
  if (magic != "P6" || largest != 255 ||
      picture.pixels.size() != std::size_t{3} * picture.width * picture.height)
    throw smearscope::Error(path + ": not an 8-bit PPM file");
  return picture;
}

double cpu_milliseconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return 1e3 * static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_nsec);
}

void print(const smearscope::Detections& detections, double wall, double cpu) {
  std::printf("{\"wall_ms\": %.3f, \"cpu_ms\": %.3f, \"detections\": [", wall, cpu);
  const char* separator = "";
  for (const smearscope::Detection& found : detections) {
    std::printf("%s[%d, %.9g, %.9g, %.9g, %.9g, %.9g]", separator, found.label, found.score, found.box.x_min,
                found.box.y_min, found.box.x_max, found.box.y_max);
    separator = ", ";
  }
  std::printf("]}\n");
  std::fflush(stdout);
}

int run(int count, char** arguments) {
  if (count < 2 || count > 6) {
    std::fprintf(stderr, "usage: detect_frames MODEL [THREADS [DEVICE [PRECISION [BATCH]]]] < names of PPM files\n");
    return 2;
  }
  smearscope::DetectorOptions options;
  if (count > 2) options.threads = std::stoi(arguments[2]);
  if (count > 3) options.device = smearscope::Device::parse(arguments[3]);
  if (count > 4) options.precision = smearscope::parse_precision(arguments[4]);
  const auto batch = static_cast<std::size_t>(count > 5 ? std::stoi(arguments[5]) : 1);
  smearscope::Detector detector(smearscope::Model::load(arguments[1]), options);
  for (std::string path; std::getline(std::cin, path);) {
    const Picture picture = read_ppm(path);
    smearscope::Frame frame;
    frame.width = picture.width;
    frame.height = picture.height;
    frame.planes[0] = {picture.pixels.data(), std::ptrdiff_t{3} * picture.width};
    const std::vector<smearscope::Frame> frames(batch, frame);
    const auto start = std::chrono::steady_clock::now();
    const double cpu_start = cpu_milliseconds();
    const auto found = detector.detect(frames);
    const double cpu = cpu_milliseconds() - cpu_start;
    const std::chrono::duration<double, std::milli> wall = std::chrono::steady_clock::now() - start;
    print(found.back(), wall.count(), cpu);
  }
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    return run(count, arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "detect_frames: %s\n", error.what());
    return 1;
  }
}
