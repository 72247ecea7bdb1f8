#include "fetch/download.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <strings.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <string_view>
#include <thread>

namespace smearscope::corpus {
namespace {

namespace fs = std::filesystem;

// FILE.part, open and ours alone, and FILE.part.from: two lines, the URL and its validator.
class PartialFile {
 public:
  explicit PartialFile(const fs::path& file)
      : file_(file), part_(file.string() + ".part"), from_(file.string() + ".part.from") {
    descriptor_ = ::open(part_.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (descriptor_ < 0) fail("cannot be written");
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
      ::close(descriptor_);
      throw Error(part_.string() + ": another download is writing it; wait for its end");
    }
    struct stat status {};
    if (::fstat(descriptor_, &status) == 0) size_ = static_cast<std::uint64_t>(status.st_size);
  }
  ~PartialFile() { ::close(descriptor_); }
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  std::uint64_t size() const { return size_; }

  // What the server said that names this version of the file; empty if it is of another URL or unknown.
  std::string validator_for(const std::string& url) const {
    std::ifstream in(from_);
    std::string old_url, validator;
    if (!std::getline(in, old_url) || !std::getline(in, validator) || old_url != url) return "";
    return validator;
  }

  void start_over(const std::string& url, const std::string& validator) {
    if (::ftruncate(descriptor_, 0) != 0) fail("cannot be emptied");
    size_ = 0;
    std::ofstream out(from_, std::ios::trunc);
    if (!(out << url << '\n' << validator << '\n' << std::flush)) {
      throw Error(from_.string() + ": cannot be written");
    }
  }

  void append(const char* data, std::size_t bytes) {
    while (bytes > 0) {
      const ::ssize_t written = ::pwrite(descriptor_, data, bytes, static_cast<::off_t>(size_));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail("cannot be written; what has arrived is kept, so make room and run it again");
      data += written;
      bytes -= static_cast<std::size_t>(written);
      size_ += static_cast<std::uint64_t>(written);
    }
  }

  void complete() {
    if (::fsync(descriptor_) != 0) fail("cannot be written to the disk");
    fs::rename(part_, file_);
    fs::remove(from_);
  }

 private:
  [[noreturn]] void fail(const char* what) const {
    throw Error(part_.string() + ": " + what + " (" + std::strerror(errno) + ")");
  }

  fs::path file_, part_, from_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

// One request and what came of it. Errors thrown in curl's callbacks are kept here and thrown after it.
struct Transfer {
  CURL* curl;
  const std::string& url;
  PartialFile& part;
  const DownloadOptions& options;
  std::uint64_t asked_from = 0;
  std::string etag, last_modified;
  std::uint64_t range_from = 0, total = 0;  // Content-Range's first byte and whole size; 0: not said
  bool body_began = false;
  std::string failure;

  long status() const {
    long code = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
    return code;
  }

  // The validator that If-Range may use (RFC 9110, 13.1.5): a strong ETag, else the date.
  std::string validator() const {
    if (!etag.empty() && etag.rfind("W/", 0) != 0) return etag;
    return last_modified;
  }

  void begin_body() {
    body_began = true;
    if (status() == 206) {
      if (range_from != asked_from) throw Error(url + ": the server sent another part than was asked for");
    } else {
      part.start_over(url, validator());
      curl_off_t length = -1;
      curl_easy_getinfo(curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
      total = length > 0 ? static_cast<std::uint64_t>(length) : 0;
    }
    check_size(total);
  }

  void check_size(std::uint64_t bytes) const {
    if (bytes > options.max_bytes) {
      throw Error(url + ": larger than the " + std::to_string(options.max_bytes) +
                  " bytes that a download may have");
    }
  }

  void take(const char* data, std::size_t bytes) {
    if (status() != 200 && status() != 206) return;  // the text of an error page
    if (!body_began) begin_body();
    check_size(part.size() + bytes);
    part.append(data, bytes);
    if (options.progress) options.progress(part.size(), total);
  }
};

std::size_t on_body(char* data, std::size_t, std::size_t bytes, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  try {
    transfer.take(data, bytes);
    return bytes;
  } catch (const std::exception& problem) {
    transfer.failure = problem.what();
    return CURL_WRITEFUNC_ERROR;
  }
}

// The value if `line` is the header `name`.
bool header_value(std::string_view line, std::string_view name, std::string& value) {
  if (line.size() <= name.size() || line[name.size()] != ':') return false;
  if (::strncasecmp(line.data(), name.data(), name.size()) != 0) return false;
  line.remove_prefix(name.size() + 1);
  const auto first = line.find_first_not_of(" \t"), last = line.find_last_not_of(" \t\r\n");
  value = first == std::string_view::npos ? "" : std::string(line.substr(first, last - first + 1));
  return true;
}

std::size_t on_header(char* data, std::size_t, std::size_t bytes, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  const std::string_view line(data, bytes);
  std::string range;
  if (line.rfind("HTTP/", 0) == 0) {  // a redirect's headers don't describe the file
    transfer.etag = transfer.last_modified = "";
    transfer.range_from = transfer.total = 0;
  }
  header_value(line, "ETag", transfer.etag);
  header_value(line, "Last-Modified", transfer.last_modified);
  if (header_value(line, "Content-Range", range) && range.rfind("bytes ", 0) == 0) {
    transfer.range_from = std::strtoull(range.c_str() + 6, nullptr, 10);
    const auto slash = range.find('/');
    if (slash != std::string::npos) transfer.total = std::strtoull(range.c_str() + slash + 1, nullptr, 10);
  }
  return bytes;
}

void check_url(const std::string& url) {
  for (const unsigned char c : url) {
    if (c <= ' ' || c == 127) throw Error("'" + url + "': a URL has no spaces; write them as %20");
  }
}

enum class Outcome { complete, try_again };

bool worth_another_try(CURLcode code) {
  switch (code) {
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_COULDNT_CONNECT:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return true;
    default:
      return false;
  }
}

// What a finished request means; `why` says it in words.
Outcome judge(const Transfer& transfer, CURLcode code, const char* curl_text, std::string& why) {
  if (!transfer.failure.empty()) throw Error(transfer.failure);
  const long status = transfer.status();
  if (code == CURLE_OK && (status == 200 || status == 206)) {
    // An empty file has no body: an older partial file isn't it.
    if (!transfer.body_began) throw Error(transfer.url + ": the file there is empty");
    if (transfer.total == 0 || transfer.part.size() == transfer.total) return Outcome::complete;
    why = "the connection ended early";
    return Outcome::try_again;
  }
  if (code == CURLE_OK) {
    why = "the server answered " + std::to_string(status);
    if (status == 408 || status == 429 || status >= 500) return Outcome::try_again;
    throw Error(transfer.url + ": " + why + (status == 404 ? " (not found)" : "") +
                "; download it by other means and give it with --mirror FILE");
  }
  why = *curl_text != '\0' ? curl_text : curl_easy_strerror(code);
  if (worth_another_try(code)) return Outcome::try_again;
  throw Error(transfer.url + ": " + why);
}

void set_up(CURL* curl, const std::string& url, const DownloadOptions& options, char* error_text) {
  curl_easy_reset(curl);
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error_text);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  // What begins encrypted stays so.
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, url.rfind("https:", 0) == 0 ? "https" : "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 10L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 30L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, static_cast<long>(options.stall.count()));
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "smearscope-corpus");
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
}

Outcome attempt(CURL* curl, const std::string& url, PartialFile& part, const DownloadOptions& options,
                std::string& why) {
  char error_text[CURL_ERROR_SIZE] = "";
  set_up(curl, url, options, error_text);
  Transfer transfer{curl, url, part, options, 0, "", "", 0, 0, false, ""};
  std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(nullptr, curl_slist_free_all);
  const std::string validator = part.validator_for(url);
  if (part.size() > 0 && !validator.empty()) {
    transfer.asked_from = part.size();
    // Not CURLOPT_RESUME_FROM: it takes the whole file (200) as an error.
    curl_easy_setopt(curl, CURLOPT_RANGE, (std::to_string(transfer.asked_from) + "-").c_str());
    headers.reset(curl_slist_append(nullptr, ("If-Range: " + validator).c_str()));
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  }
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &transfer);
  const CURLcode code = curl_easy_perform(curl);
  // 416: there is nothing behind what we have. It was killed between the last byte and the rename, if the
  // sizes agree.
  if (code == CURLE_OK && transfer.status() == 416 && transfer.asked_from > 0) {
    if (transfer.total == part.size()) return Outcome::complete;
    part.start_over(url, "");
    why = "the file there is another one now";
    return Outcome::try_again;
  }
  return judge(transfer, code, error_text, why);
}

}  // namespace

void download(const std::string& url, const fs::path& file, const DownloadOptions& options) {
  check_url(url);
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(), curl_easy_cleanup);
  if (ready != CURLE_OK || !curl) throw Error("libcurl cannot be used");
  PartialFile part(file);
  std::uint64_t most = part.size();
  int fruitless = 0;
  auto wait = options.first_wait;
  std::string why;
  while (attempt(curl.get(), url, part, options, why) != Outcome::complete) {
    if (part.size() > most) {
      most = part.size();
      fruitless = 0;
      wait = options.first_wait;
    } else if (++fruitless >= options.fruitless_attempts) {
      throw Error(url + ": " + why + ", " + std::to_string(fruitless) +
                  " times in a row; what has arrived is kept, so run it again later");
    }
    if (options.message) options.message(why + "; trying again");
    std::this_thread::sleep_for(wait);
    wait *= 2;
  }
  part.complete();
}

}  // namespace smearscope::corpus
