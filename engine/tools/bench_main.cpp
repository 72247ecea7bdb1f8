// smearscope-bench: how long a model takes, stage by stage.
#include <getopt.h>

#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "bench_report.h"
#include "bench_streams.h"
#include "model/file_writer.h"
#include "smearscope/detector.h"

namespace {

using namespace smearscope;

constexpr const char* help =
    "usage: smearscope-bench [options]\n"
    "\n"
    "  --model FILE      model file, or name of an installed model (default: smearscope-cells)\n"
    "  --size WxH        size of the frames (default: 640x480); the model's transform resizes them\n"
    "  --device D        cpu, cuda, cuda:N or auto: cuda if it can be used, else cpu (default: cpu)\n"
    "  --precision P     f32, f16, bf16, int8, or auto: int8 on a CPU that can run the model so, else f32\n"
    "                    (default: auto)\n"
    "  --batch N         frames per call (default: 1); with --cameras most frames of a batch\n"
    "  --threads N       CPU threads; 0: all cores (default: 0)\n"
    "  --frames N        frames to time, after a warm-up of 2 calls (default: 20)\n"
    "  --cameras N       instead: so many cameras share the model; tells delays and late frames\n"
    "  --rate R          frames per second of each camera (default: 30)\n"
    "  --seconds S       how long they run (default: 10)\n"
    "  --json FILE       also write the result there\n"
    "  --help\n";

struct UsageError : Error {
  using Error::Error;
};

struct Settings {
  std::string model = default_model, json;
  int width = 640, height = 480, batch = 1, frames = 20;
  bench::Cameras cameras;
  DetectorOptions options;
};

int parse_number(const std::string& option, const std::string& text, int lowest, int highest) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < lowest || value > highest)
    throw UsageError(option + " is \"" + text + "\"; it must be a number from " + std::to_string(lowest) +
                     " to " + std::to_string(highest));
  return value;
}

double parse_positive(const std::string& option, const std::string& text, double highest) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !(value > 0 && value <= highest))
    throw UsageError(option + " is \"" + text + "\"; it must be a number above 0, at most " +
                     std::to_string(static_cast<int>(highest)));
  return value;
}

void parse_size(const std::string& text, Settings& settings) {
  const std::size_t cross = text.find('x');
  if (cross == std::string::npos) throw UsageError("--size is \"" + text + "\"; write it as 640x480");
  settings.width = parse_number("the width of --size", text.substr(0, cross), 1, 65536);
  settings.height = parse_number("the height of --size", text.substr(cross + 1), 1, 65536);
}

Settings parse(int count, char** words) {
  const option known[] = {{"model", required_argument, nullptr, 'm'},
                          {"size", required_argument, nullptr, 's'},
                          {"device", required_argument, nullptr, 'd'},
                          {"precision", required_argument, nullptr, 'p'},
                          {"batch", required_argument, nullptr, 'b'},
                          {"threads", required_argument, nullptr, 't'},
                          {"frames", required_argument, nullptr, 'f'},
                          {"cameras", required_argument, nullptr, 'c'},
                          {"rate", required_argument, nullptr, 'r'},
                          {"seconds", required_argument, nullptr, 'e'},
                          {"json", required_argument, nullptr, 'j'},
                          {"help", no_argument, nullptr, 'h'},
                          {nullptr, 0, nullptr, 0}};
  Settings settings;
  settings.options.precision = Precision::automatic;
  opterr = 0;
  for (int found = 0; (found = getopt_long(count, words, "", known, nullptr)) != -1;) switch (found) {
      case 'm':
        settings.model = optarg;
        break;
      case 's':
        parse_size(optarg, settings);
        break;
      case 'd':
        settings.options.device = Device::parse(optarg);
        break;
      case 'p':
        settings.options.precision = parse_precision(optarg);
        break;
      case 'b':
        settings.batch = parse_number("--batch", optarg, 1, 256);
        break;
      case 't':
        settings.options.threads = parse_number("--threads", optarg, 0, 1024);
        break;
      case 'f':
        settings.frames = parse_number("--frames", optarg, 1, 1000000);
        break;
      case 'c':
        settings.cameras.count = parse_number("--cameras", optarg, 1, 1000);
        break;
      case 'r':
        settings.cameras.rate = parse_positive("--rate", optarg, 1000);
        break;
      case 'e':
        settings.cameras.seconds = parse_positive("--seconds", optarg, 3600);
        break;
      case 'j':
        settings.json = optarg;
        break;
      case 'h':
        std::fputs(help, stdout);
        std::exit(0);
      default:
        throw UsageError(std::string(words[optind - 1]) + " is not an option, or lacks its value");
    }
  if (optind < count) throw UsageError(std::string(words[optind]) + " is one word too many");
  return settings;
}

// Dark discs on a bright ground, so that a model of cells has something to find. RGB.
std::vector<std::uint8_t> draw_cells(int width, int height) {
  std::vector<std::uint8_t> pixels(std::size_t{3} * width * height, 225);
  std::mt19937 random(1);
  const auto below = [&random](int limit) {
    return static_cast<int>(random() % static_cast<unsigned>(limit));
  };
  const int radius = std::max(2, std::min(width, height) / 16);
  for (int cell = 0; cell < 40; ++cell) {
    const int centre_x = below(width), centre_y = below(height);
    for (int y = std::max(0, centre_y - radius); y < std::min(height, centre_y + radius); ++y)
      for (int x = std::max(0, centre_x - radius); x < std::min(width, centre_x + radius); ++x) {
        const int squared = (x - centre_x) * (x - centre_x) + (y - centre_y) * (y - centre_y);
        std::uint8_t* pixel = &pixels[3 * (static_cast<std::size_t>(y) * width + x)];
        if (squared < radius * radius) pixel[0] = 190, pixel[1] = 130, pixel[2] = 150;
      }
  }
  return pixels;
}

double cpu_milliseconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return 1e3 * static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_nsec);
}

bool exists(const std::string& path) {
  return std::ifstream(path).good();
}

void write(const Settings& settings, const std::string& table, const std::string& json) {
  std::fputs(table.c_str(), stdout);
  if (!settings.json.empty()) replace_file(settings.json, {{json.data(), json.size()}});
}

void run_cameras(Detector& detector, const Frame& frame, const Settings& settings) {
  const bench::StreamResult result = bench::run_cameras(detector, frame, settings.cameras);
  write(settings, bench::table(settings.cameras, result), bench::json(settings.cameras, result));
}

void run_calls(Detector& detector, const Frame& frame, const Settings& settings) {
  const std::vector<Frame> frames(static_cast<std::size_t>(settings.batch), frame);
  bench::Workload workload{detector.model().path(),
                           detector.options().device.to_string(),
                           name_of(detector.options().precision),
                           settings.width,
                           settings.height,
                           settings.batch,
                           settings.options.threads};
  workload.calls = (settings.frames + settings.batch - 1) / settings.batch;
  bench::Samples samples;
  std::size_t found = 0;
  for (int i = 0; i < workload.calls; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const double cpu_start = cpu_milliseconds();
    for (const Detections& detections : detector.detect(frames)) found += detections.size();
    samples.cpu.push_back(cpu_milliseconds() - cpu_start);
    const std::chrono::duration<double, std::milli> wall = std::chrono::steady_clock::now() - start;
    samples.wall.push_back(wall.count());
    samples.stages.push_back(detector.last_times());
  }
  workload.detections_per_frame = static_cast<double>(found) / (workload.calls * settings.batch);
  write(settings, bench::table(workload, samples), bench::json(workload, samples));
}

void run(const Settings& settings) {
  const auto model = Model::load(exists(settings.model) ? settings.model : find_model(settings.model));
  const bool has_cameras = settings.cameras.count > 0;
  DetectorOptions options = settings.options;
  if (has_cameras) options.max_batch = settings.batch;
  Detector detector(model, options);
  const std::vector<std::uint8_t> pixels = draw_cells(settings.width, settings.height);
  Frame frame;
  frame.width = settings.width;
  frame.height = settings.height;
  frame.planes[0] = {pixels.data(), std::ptrdiff_t{3} * settings.width};
  // Every batch that may come, so that no allocation is timed.
  for (int i = 0; i < 2; ++i)
    for (int batch = has_cameras ? 1 : settings.batch; batch <= settings.batch; ++batch)
      detector.detect(std::vector<Frame>(static_cast<std::size_t>(batch), frame));
  has_cameras ? run_cameras(detector, frame, settings) : run_calls(detector, frame, settings);
}

}  // namespace

int main(int count, char** words) {
  try {
    run(parse(count, words));
    return 0;
  } catch (const UsageError& error) {
    std::fprintf(stderr, "smearscope-bench: %s; see smearscope-bench --help\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "smearscope-bench: %s\n", error.what());
    return 1;
  }
}
