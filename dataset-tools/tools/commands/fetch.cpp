#include "fetch/fetch.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <iostream>

#include "tools/commands.h"

namespace smearscope::corpus {
namespace {

// "12.3 of 300.1 MB" on a terminal, rewritten in place at most 5 times a second.
class DownloadProgress {
 public:
  ~DownloadProgress() { clear(); }

  void show(std::uint64_t bytes, std::uint64_t total) {
    const auto now = std::chrono::steady_clock::now();
    if (!terminal_ || now - shown_ < std::chrono::milliseconds(200)) return;
    shown_ = now;
    char whole[32] = "";
    if (total > 0) std::snprintf(whole, sizeof whole, " of %.1f", static_cast<double>(total) / 1e6);
    std::fprintf(stderr, "\rdownloading  %.1f%s MB\033[K", static_cast<double>(bytes) / 1e6, whole);
    std::fflush(stderr);
  }

  void clear() const {
    if (terminal_) std::fputs("\r\033[K", stderr);
  }

 private:
  bool terminal_ = ::isatty(STDERR_FILENO) == 1;
  std::chrono::steady_clock::time_point shown_{};
};

const char* verdict(Fetched::Checked checked) {
  switch (checked) {
    case Fetched::Checked::given:
      return "as given with --sha256";
    case Fetched::Checked::published:
      return "as published";
    case Fetched::Checked::recorded:
      return "as at the first fetch";
    case Fetched::Checked::first_time:
      break;
  }
  return "not checked: nobody has published it; recorded, so that later fetches are held to it";
}

void list_sources() {
  for (const PublicSource& source : public_sources()) {
    std::cout << source.kind << "\t" << source.title << "\n\t" << source.page << "\n\tsha256 "
              << (source.sha256.empty() ? "not published" : source.sha256) << "\n";
  }
}

}  // namespace

int run_fetch(const Arguments& arguments) {
  if (arguments.positional().empty()) {
    list_sources();
    return done;
  }
  if (arguments.positional().size() > 1) throw Error("fetch takes one source at a time");
  const PublicSource& source = find_public_source(arguments.positional().front());
  const std::string output = arguments.optional("output", source.kind);
  DownloadProgress progress;
  FetchOptions options;
  options.mirror = arguments.optional("mirror", "");
  options.sha256 = arguments.optional("sha256", "");
  options.download.progress = [&](std::uint64_t bytes, std::uint64_t total) { progress.show(bytes, total); };
  options.download.message = [&](const std::string& line) {
    progress.clear();
    std::cerr << line << "\n";
  };
  const Fetched fetched = fetch(source, output, options);
  progress.clear();
  for (const std::string& entry : fetched.unpacked.left_out) std::cerr << "left out " << entry << "\n";
  std::cout << source.kind << ": " << fetched.unpacked.files << " files in " << output << "\nsha256 "
            << fetched.sha256 << " (" << verdict(fetched.checked) << ")\n";
  return done;
}

}  // namespace smearscope::corpus
