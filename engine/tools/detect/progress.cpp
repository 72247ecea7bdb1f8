#include "tools/detect/progress.h"

#include <unistd.h>

#include <cmath>
#include <cstdio>

namespace smearscope::detect {
namespace {

std::string clock_text(double seconds) {
  const auto whole = static_cast<long>(std::ceil(seconds));
  char text[32];
  if (whole >= 3600) {
    std::snprintf(text, sizeof text, "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
  } else {
    std::snprintf(text, sizeof text, "%ld:%02ld", whole / 60, whole % 60);
  }
  return text;
}

}  // namespace

Progress::Progress(std::size_t total) : terminal_(::isatty(STDERR_FILENO) == 1), total_(total) {
  show();
}

Progress::~Progress() {
  clear();
}

void Progress::clear() const {
  if (terminal_) std::fputs("\r\033[K", stderr);
}

void Progress::advance() {
  ++done_;
  if (Clock::now() - shown_ >= std::chrono::milliseconds(100)) show();
}

void Progress::message(const std::string& line) {
  clear();
  std::fprintf(stderr, "smearscope-detect: %s\n", line.c_str());
  show();
}

void Progress::show() {
  if (!terminal_) return;
  shown_ = Clock::now();
  constexpr std::size_t width = 30;
  const std::size_t filled = total_ == 0 ? width : width * done_ / total_;
  const double seconds = std::chrono::duration<double>(shown_ - start_).count();
  std::string line = "[" + std::string(filled, '#') + std::string(width - filled, '.') + "] " +
                     std::to_string(done_) + "/" + std::to_string(total_);
  if (done_ > 0 && seconds > 0) {
    const double rate = static_cast<double>(done_) / seconds;
    char text[64];
    std::snprintf(text, sizeof text, "  %.2g images/s  ", rate);
    if (rate >= 10) std::snprintf(text, sizeof text, "  %.0f images/s  ", rate);
    line += text + clock_text(static_cast<double>(total_ - done_) / rate) + " left";
  }
  std::fprintf(stderr, "\r%s\033[K", line.c_str());
  std::fflush(stderr);
}

}  // namespace smearscope::detect
