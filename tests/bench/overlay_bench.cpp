// Time that celloverlay's drawing takes of one core: 100 cells with labels and the count panel at 1920x1080.
// Boxes move and scores change from frame to frame, as they do live. Prints CPU milliseconds a frame (median,
// 99th percentile).
#include <gst/video/video.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <random>
#include <vector>

#include "overlay/cell_painter.h"

namespace {

constexpr int width = 1920, height = 1080, cell_count = 100;
constexpr int warm_up = 30, frames = 500;

double cpu_ms() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) * 1e-6;
}

// Mostly red cells of about 100 pixels, some white cells and platelets, moved by `shift` pixels.
std::vector<smearscope::Cell> cells_of_frame(float shift) {
  std::mt19937 random(7);
  std::mt19937 scores(static_cast<unsigned>(shift * 16));
  const auto uniform = [](std::mt19937& from, float low, float high) {
    return std::uniform_real_distribution<float>(low, high)(from);
  };
  std::vector<smearscope::Cell> cells;
  for (int i = 0; i < cell_count; ++i) {
    const int label = i % 20 == 0 ? 0 : i % 10 == 5 ? 2 : 1;
    const float side = label == 0 ? 200.0F : label == 1 ? uniform(random, 85, 120) : 35.0F;
    const float x = uniform(random, 0, width - side) + shift, y = uniform(random, 0, height - side);
    const char* names[] = {"wbc", "rbc", "platelet"};
    cells.push_back({{x, y, x + side, y + side}, uniform(scores, 0.5F, 1.0F), label, names[label], 0});
  }
  return cells;
}

void run(GstVideoFormat format) {
  GstVideoInfo info;
  gst_video_info_set_format(&info, format, width, height);
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&info), nullptr);
  GstVideoFrame frame;
  if (!gst_video_frame_map(&frame, &info, buffer, GST_MAP_READWRITE)) return;

  smearscope::CellPainter painter({});
  std::vector<double> times;
  for (int i = 0; i < warm_up + frames; ++i) {
    const std::vector<smearscope::Cell> cells = cells_of_frame(static_cast<float>(i % 100) * 0.75F);
    const double start = cpu_ms();
    painter.paint(&frame, cells);
    if (i >= warm_up) times.push_back(cpu_ms() - start);
  }
  std::sort(times.begin(), times.end());
  std::printf("%-6s %dx%d, %d cells: median %.2f ms, p99 %.2f ms (CPU, %d frames)\n",
              gst_video_format_to_string(format), width, height, cell_count, times[times.size() / 2],
              times[times.size() * 99 / 100], frames);
  gst_video_frame_unmap(&frame);
  gst_buffer_unref(buffer);
}

}  // namespace

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  for (const GstVideoFormat format :
       {GST_VIDEO_FORMAT_I420, GST_VIDEO_FORMAT_NV12, GST_VIDEO_FORMAT_BGRx, GST_VIDEO_FORMAT_RGB16}) {
    run(format);
  }
  return 0;
}
