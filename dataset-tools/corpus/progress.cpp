#include "corpus/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace smearscope::corpus {
namespace {

constexpr std::chrono::milliseconds between_bars{100};
constexpr std::chrono::seconds between_lines{30};

std::size_t terminal_columns() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string clock_text(double seconds) {
  const auto all = static_cast<long>(seconds + 0.5);
  char text[64];
  if (all >= 3600) {
    std::snprintf(text, sizeof text, "%ld:%02ld:%02ld", all / 3600, all / 60 % 60, all % 60);
  } else {
    std::snprintf(text, sizeof text, "%ld:%02ld", all / 60, all % 60);
  }
  return text;
}

}  // namespace

Progress::Progress(std::string what, std::size_t total)
    : what_(std::move(what)),
      total_(total),
      is_terminal_(::isatty(STDERR_FILENO) == 1),
      begin_(Clock::now()),
      shown_(begin_) {}

Progress::~Progress() {
  if (bar_shown_) std::fputs("\r\033[K", stderr);
}

void Progress::step() {
  const std::lock_guard lock(mutex_);
  ++done_;
  const auto now = Clock::now();
  if (is_terminal_ ? now - shown_ < between_bars : now - shown_ < between_lines) return;
  shown_ = now;
  show();
}

void Progress::show() {
  const double seconds = std::chrono::duration<double>(shown_ - begin_).count();
  const double left = seconds * static_cast<double>(total_ - done_) / static_cast<double>(done_);
  const std::string count =
      std::to_string(done_) + "/" + std::to_string(total_) + "  " + clock_text(left) + " left";
  if (!is_terminal_) {
    std::fprintf(stderr, "%s  %s\n", what_.c_str(), count.c_str());
    return;
  }
  const std::size_t columns = terminal_columns(), text = what_.size() + count.size() + 8;
  const std::size_t width = columns > text + 8 ? std::min<std::size_t>(columns - text, 40) : 0;
  const std::size_t filled = width * done_ / total_;
  const std::string bar =
      width == 0 ? "" : "[" + std::string(filled, '#') + std::string(width - filled, '.') + "] ";
  std::fprintf(stderr, "\r\033[K%s", (what_ + "  " + bar + count).substr(0, columns - 1).c_str());
  bar_shown_ = true;
}

}  // namespace smearscope::corpus
