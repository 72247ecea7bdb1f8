#include "bench_report.h"

#include <sched.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <thread>

namespace smearscope::bench {
namespace {

struct Column {
  const char* name;
  double StageTimes::*member;
};

constexpr std::array<Column, 7> columns{{{"preprocess", &StageTimes::preprocess},
                                         {"backbone", &StageTimes::backbone},
                                         {"fpn", &StageTimes::fpn},
                                         {"rpn", &StageTimes::rpn},
                                         {"roi_pool", &StageTimes::roi_pool},
                                         {"box_head", &StageTimes::box_head},
                                         {"postprocess", &StageTimes::postprocess}}};

struct Row {
  std::string name;
  double median, p99;  // milliseconds of one frame
};

std::vector<Row> rows_of(const Workload& workload, const Samples& samples) {
  const auto row = [&](const std::string& name, std::vector<double> values) {
    for (double& value : values) value /= workload.batch;
    return Row{name, median(values), percentile99(values)};
  };
  std::vector<Row> rows;
  for (const Column& column : columns) {
    std::vector<double> values;
    for (const StageTimes& times : samples.stages) values.push_back(times.*column.member);
    rows.push_back(row(column.name, values));
  }
  rows.push_back(row("frame", samples.wall));
  rows.push_back(row("frame, CPU time", samples.cpu));
  return rows;
}

template <typename... Values>
std::string format(const char* pattern, Values... values) {
  std::string text(static_cast<std::size_t>(std::snprintf(nullptr, 0, pattern, values...)) + 1, '\0');
  std::snprintf(text.data(), text.size(), pattern, values...);
  text.pop_back();
  return text;
}

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    if (static_cast<unsigned char>(c) >= 0x20)
      result += c;
    else
      result += format("\\u%04x", static_cast<unsigned>(c));
  }
  return result + "\"";
}

double frames_per_second(const Workload& workload, const Samples& samples) {
  return 1000 * workload.batch / median(samples.wall);
}

}  // namespace

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

double percentile99(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(std::ceil(0.99 * static_cast<double>(values.size()))) - 1];
}

std::string processor() {
  std::string name = "unknown processor";
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.rfind("model name", 0) == 0) {
      name = line.substr(line.find(':') + 2);
      break;
    }
  cpu_set_t usable;
  const int count = sched_getaffinity(0, sizeof(usable), &usable) == 0 ? CPU_COUNT(&usable) : 0;
  return name + ", " + std::to_string(count) + " of " + std::to_string(std::thread::hardware_concurrency()) +
         " cores usable";
}

std::string table(const Workload& workload, const Samples& samples) {
  std::string text =
      format("model      %s\nframes     %dx%d, batch %d, %d calls after warming up\n", workload.model.c_str(),
             workload.width, workload.height, workload.batch, workload.calls);
  text += format("device     %s, precision %s, threads %s\nhardware   %s\n", workload.device.c_str(),
                 workload.precision.c_str(),
                 workload.threads ? std::to_string(workload.threads).c_str() : "all", processor().c_str());
  text += format("found      %.1f cells a frame\n\n%-16s %12s %12s\n", workload.detections_per_frame,
                 "ms a frame", "median", "p99");
  for (const Row& row : rows_of(workload, samples))
    text += format("%-16s %12.2f %12.2f\n", row.name.c_str(), row.median, row.p99);
  return text + format("\n%.2f frames/s\n", frames_per_second(workload, samples));
}

std::string json(const Workload& workload, const Samples& samples) {
  std::string text = "{\n  \"model\": " + quoted(workload.model) + ",\n";
  text += format("  \"width\": %d, \"height\": %d, \"batch\": %d, \"calls\": %d, \"threads\": %d,\n",
                 workload.width, workload.height, workload.batch, workload.calls, workload.threads);
  text +=
      "  \"device\": " + quoted(workload.device) + ", \"precision\": " + quoted(workload.precision) + ",\n";
  text += "  \"hardware\": " + quoted(processor()) + ",\n";
  text += format("  \"detections_per_frame\": %.3f,\n  \"milliseconds_per_frame\": {",
                 workload.detections_per_frame);
  const char* separator = "\n";
  for (const Row& row : rows_of(workload, samples)) {
    text += format("%s    %s: {\"median\": %.4f, \"p99\": %.4f}", separator, quoted(row.name).c_str(),
                   row.median, row.p99);
    separator = ",\n";
  }
  return text + format("\n  },\n  \"frames_per_second\": %.4f\n}\n", frames_per_second(workload, samples));
}

}  // namespace smearscope::bench
