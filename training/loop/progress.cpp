#include "loop/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "model/file_writer.h"

namespace smearscope::training {
namespace {

constexpr double seconds_between_lines = 30;
std::size_t terminal_columns() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string text_of(const Report& r) {
  char text[256];
  std::snprintf(
      text, sizeof text,
      "epoch %zu/%zu  step %zu/%zu  loss %.3f (rpn %.3f + %.3f, head %.3f + %.3f)  %.2f images/s  %s left",
      r.epoch, r.epochs, r.step, r.total_steps, r.losses.total(), r.losses.objectness, r.losses.rpn_box,
      r.losses.classification, r.losses.box, r.images_per_second, clock_text(r.seconds_left).c_str());
  return text;
}

std::string bar_of(const Report& r, std::size_t width) {
  const std::size_t filled = r.total_steps > 0 ? width * r.step / r.total_steps : 0;
  return "[" + std::string(filled, '#') + std::string(width - filled, '.') + "] ";
}

}  // namespace

std::string clock_text(double seconds) {
  const auto all = static_cast<long>(std::max(0.0, seconds) + 0.5);
  char text[64];
  if (all >= 3600) {
    std::snprintf(text, sizeof text, "%ld:%02ld:%02ld", all / 3600, all / 60 % 60, all % 60);
  } else {
    std::snprintf(text, sizeof text, "%ld:%02ld", all / 60, all % 60);
  }
  return text;
}

Progress::Progress() : is_terminal_(::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (bar_shown_) std::fputs("\n", stderr);
}

void Progress::show(const Report& report) {
  const std::string text = text_of(report);
  if (!is_terminal_) {
    if (last_line_ >= 0 && report.seconds - last_line_ < seconds_between_lines) return;
    last_line_ = report.seconds;
    std::fprintf(stderr, "%s\n", text.c_str());
    return;
  }
  const std::size_t columns = terminal_columns();
  const std::size_t bar =
      columns > text.size() + 10 ? std::min<std::size_t>(columns - text.size() - 5, 30) : 0;
  const std::string line = (bar > 0 ? bar_of(report, bar) : "") + text;
  std::fprintf(stderr, "\r\033[K%s", line.substr(0, columns - 1).c_str());
  bar_shown_ = true;
}

void Progress::message(const std::string& line) {
  std::fprintf(stderr, "%s%s\n", bar_shown_ ? "\r\033[K" : "", line.c_str());
  bar_shown_ = false;
}

TrainLog::TrainLog(const std::string& path, std::size_t steps_done) : path_(path) {
  std::string kept = std::string(log_header) + "\n";
  if (steps_done > 0) {
    std::ifstream in(path);
    std::string row;
    std::getline(in, row);
    while (std::getline(in, row)) {
      if (std::strtoull(row.c_str(), nullptr, 10) <= steps_done) kept += row + "\n";
    }
  }
  replace_file(path, {{kept.data(), kept.size()}});
  out_.open(path, std::ios::app);
}

void TrainLog::add(const Report& r, std::optional<LossValues> validation) {
  char text[512];
  std::snprintf(text, sizeof text, "%zu,%zu,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g,%.4g,%.1f", r.step, r.epoch,
                r.learning_rate, r.losses.objectness, r.losses.rpn_box, r.losses.classification, r.losses.box,
                r.losses.total(), r.images_per_second, r.seconds);
  out_ << text;
  if (validation) {
    std::snprintf(text, sizeof text, ",%.6g,%.6g,%.6g,%.6g,%.6g\n", validation->objectness,
                  validation->rpn_box, validation->classification, validation->box, validation->total());
    out_ << text;
  } else {
    out_ << ",,,,,\n";
  }
  out_.flush();
  if (!out_) throw Error(path_ + ": cannot write the log (is the disk full?)");
}

}  // namespace smearscope::training
