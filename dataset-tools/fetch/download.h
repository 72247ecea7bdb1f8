// Downloads over HTTP and HTTPS that survive dropped connections.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "smearscope/error.h"

namespace smearscope::corpus {

struct DownloadOptions {
  std::uint64_t max_bytes = std::uint64_t{8}
                            << 30;             // a larger file is refused; the largest source has 0.3 GB
  int fruitless_attempts = 5;                  // in a row, then it gives up
  std::chrono::milliseconds first_wait{1000};  // before a new attempt; doubles each time
  std::chrono::seconds stall{60};              // a connection that brings nothing for so long is dropped
  std::function<void(std::uint64_t bytes, std::uint64_t total)> progress;  // total 0: not known
  std::function<void(const std::string& line)> message;                    // about each new attempt
};

// Downloads `url` (http or https, redirects followed) to `file`, which must not exist. What has arrived
// stands in FILE.part until it is complete, so a later call goes on where this one ended, however it ended.
// It asks the server for the rest of the very same file (If-Range with the strong ETag or the date kept in
// FILE.part.from); where the server knows neither, or the file is another now, it starts over. Tries again
// after a dropped or stalled connection and after HTTP 408, 429 and 5xx. Throws Error on anything else,
// such as 404, a full disk, a file beyond max_bytes, or another process downloading to the same `file`.
void download(const std::string& url, const std::filesystem::path& file, const DownloadOptions& options);

}  // namespace smearscope::corpus
