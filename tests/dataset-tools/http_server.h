// A web server on this machine whose misbehaviour is chosen by the test.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace smearscope::testing {

// Serves `content` at every path, one connection after the other, each closed after its answer.
class HttpServer {
 public:
  struct Behaviour {
    int status = 200;                    // anything else: an error page
    bool ranges = true;                  // answers Range with 206
    std::string etag = "\"version-1\"";  // empty: no validator
    std::size_t drop_after = 0;          // bytes of body after which the connection dies; 0: never
    bool says_length = true;
    std::string location;  // for a redirect
  };

  // `behave` is asked for each request, counted from 0.
  HttpServer(std::string content, std::function<Behaviour(int request)> behave)
      : content_(std::move(content)), behave_(std::move(behave)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 8) != 0) {
      std::abort();
    }
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~HttpServer() {
    stopping_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  std::string url(const std::string& path = "/set.zip") const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }

  void set_content(const std::string& content) {
    const std::lock_guard lock(mutex_);
    content_ = content;
  }

  // The request's "Range: " value, "" where it had none.
  std::vector<std::string> ranges_asked() const {
    const std::lock_guard lock(mutex_);
    return ranges_;
  }

 private:
  static std::string header(const std::string& request, const std::string& name) {
    const auto begin = request.find("\r\n" + name + ": ");
    if (begin == std::string::npos) return "";
    const auto value = begin + name.size() + 4;
    return request.substr(value, request.find("\r\n", value) - value);
  }

  static void send_all(int connection, const std::string& bytes) {
    for (std::size_t sent = 0; sent < bytes.size();) {
      const auto now = ::send(connection, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (now <= 0) return;
      sent += static_cast<std::size_t>(now);
    }
  }

  void serve() {
    for (int request = 0; !stopping_; ++request) {
      const int connection = ::accept(listener_, nullptr, nullptr);
      if (connection < 0) return;
      std::string text;
      char buffer[4096];
      while (text.find("\r\n\r\n") == std::string::npos) {
        const auto got = ::recv(connection, buffer, sizeof buffer, 0);
        if (got <= 0) break;
        text.append(buffer, static_cast<std::size_t>(got));
      }
      answer(connection, text, behave_(request));
      ::close(connection);
    }
  }

  void answer(int connection, const std::string& request, const Behaviour& how) {
    const std::lock_guard lock(mutex_);
    const std::string range = header(request, "Range"), condition = header(request, "If-Range");
    ranges_.push_back(range);
    std::string head = "Connection: close\r\n", body = content_;
    int status = how.status;
    if (!how.location.empty()) head += "Location: " + how.location + "\r\n";
    if (!how.etag.empty()) head += "ETag: " + how.etag + "\r\n";
    if (status != 200) {
      body = "<html>an error page</html>";
    } else if (how.ranges && range.rfind("bytes=", 0) == 0 && (condition.empty() || condition == how.etag)) {
      const std::size_t from = std::stoul(range.substr(6));
      status = from < body.size() ? 206 : 416;
      const std::string size = std::to_string(body.size());
      head += "Content-Range: bytes " +
              (status == 206 ? std::to_string(from) + "-" + std::to_string(body.size() - 1) : "*") + "/" +
              size + "\r\n";
      body = status == 206 ? body.substr(from) : "";
    }
    if (how.says_length) head += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    if (how.drop_after > 0) body.resize(std::min(body.size(), how.drop_after));
    send_all(connection, "HTTP/1.1 " + std::to_string(status) + " x\r\n" + head + "\r\n" + body);
  }

  mutable std::mutex mutex_;  // guards content_ and ranges_
  std::string content_;
  std::vector<std::string> ranges_;
  std::function<Behaviour(int)> behave_;
  int listener_ = -1, port_ = 0;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace smearscope::testing
