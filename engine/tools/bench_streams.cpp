#include "bench_streams.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>

#include "bench_report.h"

namespace smearscope::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

Clock::time_point after(Clock::time_point start, double seconds) {
  return start + std::chrono::duration_cast<Clock::duration>(Seconds(seconds));
}

std::size_t frames_of_each(const Cameras& cameras) {
  return std::max<std::size_t>(1, static_cast<std::size_t>(std::lround(cameras.rate * cameras.seconds)));
}

// The frames of one camera, the first of which is due at `start`.
StreamResult run_camera(Detector& detector, const Frame& frame, const Cameras& cameras,
                        Clock::time_point start, Clock::time_point end) {
  StreamResult result;
  result.frames = frames_of_each(cameras);
  for (std::size_t i = 0; i < result.frames && (i == 0 || Clock::now() < end); ++i) {
    const Clock::time_point due = after(start, static_cast<double>(i) / cameras.rate);
    std::this_thread::sleep_until(due);
    detector.detect({frame});
    result.delays.push_back(1e3 * Seconds(Clock::now() - due).count());
  }
  const double limit = 1e3 / cameras.rate;
  const auto late =
      std::count_if(result.delays.begin(), result.delays.end(), [&](double ms) { return ms >= limit; });
  result.late = static_cast<std::size_t>(late) + result.frames - result.delays.size();
  return result;
}

}  // namespace

StreamResult run_cameras(Detector& detector, const Frame& frame, const Cameras& cameras) {
  std::mutex mutex;  // guards these
  StreamResult all;
  all.device = detector.options().device.to_string();
  all.precision = name_of(detector.options().precision);
  std::exception_ptr problem;
  const Clock::time_point start = after(Clock::now(), 0.05), end = after(start, 2 * cameras.seconds);
  std::vector<std::thread> threads;
  const auto run = [&](Clock::time_point first) {
    StreamResult own;
    std::exception_ptr own_problem;
    try {
      own = run_camera(detector, frame, cameras, first, end);
    } catch (...) {
      own_problem = std::current_exception();
    }
    const std::lock_guard<std::mutex> lock(mutex);
    all.delays.insert(all.delays.end(), own.delays.begin(), own.delays.end());
    all.frames += own.frames;
    all.late += own.late;
    if (own_problem) problem = own_problem;
  };
  try {
    for (int i = 0; i < cameras.count; ++i)
      threads.emplace_back(run, after(start, i / (cameras.rate * cameras.count)));
  } catch (const std::system_error&) {
    const std::lock_guard<std::mutex> lock(mutex);
    problem = std::make_exception_ptr(
        Error("the system has no threads for " + std::to_string(cameras.count) + " cameras; ask for fewer"));
  }
  for (std::thread& thread : threads) thread.join();
  if (problem) std::rethrow_exception(problem);
  return all;
}

std::string table(const Cameras& cameras, const StreamResult& result) {
  char text[500];
  std::snprintf(text, sizeof text,
                "device     %s, precision %s\ncameras    %d at %g frames/s for %g s\nframes     %zu, %zu "
                "late (detected when the next was due, or "
                "later)\ndelay      %.2f ms median, %.2f ms p99, %.2f ms most\n",
                result.device.c_str(), result.precision.c_str(), cameras.count, cameras.rate, cameras.seconds,
                result.frames, result.late, median(result.delays), percentile99(result.delays),
                *std::max_element(result.delays.begin(), result.delays.end()));
  return text;
}

std::string json(const Cameras& cameras, const StreamResult& result) {
  char text[500];
  std::snprintf(text, sizeof text,
                "{\"device\": \"%s\", \"precision\": \"%s\", \"cameras\": %d, \"rate\": %g, \"seconds\": %g, "
                "\"frames\": %zu, \"late\": %zu, "
                "\"delay_ms\": {\"median\": "
                "%.4f, \"p99\": %.4f, \"most\": %.4f}}\n",
                result.device.c_str(), result.precision.c_str(), cameras.count, cameras.rate, cameras.seconds,
                result.frames, result.late, median(result.delays), percentile99(result.delays),
                *std::max_element(result.delays.begin(), result.delays.end()));
  return text;
}

}  // namespace smearscope::bench
