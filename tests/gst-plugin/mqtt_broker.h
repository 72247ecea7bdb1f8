// A broker that a test starts and kills, who listens to it, and sockets that only look like one.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <mosquitto.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "temporary_folder.h"

namespace smearscope::testing {

using namespace std::chrono_literals;

// What a test waits for comes at once, or after a second where a connection is tried again; a busy machine
// and sanitizers take longer.
constexpr auto patience = 60s;

template <typename Condition>
bool comes_true(Condition condition) {
  for (const auto end = std::chrono::steady_clock::now() + patience;
       std::chrono::steady_clock::now() < end;) {
    if (condition()) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

inline double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// A TCP socket on this machine, on a port that was free.
class Socket {
 public:
  Socket() : descriptor_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int yes = 1;
    setsockopt(descriptor_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(descriptor_, reinterpret_cast<const sockaddr*>(&address_), sizeof address_);
    socklen_t size = sizeof address_;
    getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address_), &size);
  }
  ~Socket() { close(descriptor_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  int port() const { return ntohs(address_.sin_port); }
  int descriptor() const { return descriptor_; }
  // A connection to another one's port.
  bool connect_to(int port) const {
    sockaddr_in address = address_;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    return connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }

 private:
  int descriptor_;
  sockaddr_in address_{};
};

inline int free_port() {
  return Socket().port();
}

class Process {
 public:
  ~Process() { kill(); }
  Process() = default;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // With `variable` (NAME=VALUE) in the environment besides what this process has.
  void start(std::vector<std::string> command, std::string variable = "SMEARSCOPE_TEST=1") {
    std::vector<char*> arguments, variables{variable.data()};
    for (std::string& word : command) arguments.push_back(word.data());
    for (char** each = environ; *each; ++each) variables.push_back(*each);
    arguments.push_back(nullptr);
    variables.push_back(nullptr);
    posix_spawn_file_actions_t quiet;
    posix_spawn_file_actions_init(&quiet);
    for (const int output : {STDOUT_FILENO, STDERR_FILENO})
      posix_spawn_file_actions_addopen(&quiet, output, "/dev/null", O_WRONLY, 0);
    if (posix_spawn(&id_, arguments[0], &quiet, nullptr, arguments.data(), variables.data()) != 0) id_ = 0;
    posix_spawn_file_actions_destroy(&quiet);
  }
  void kill() {
    if (id_ == 0) return;
    ::kill(id_, SIGKILL);
    waitpid(id_, nullptr, 0);
    id_ = 0;
  }

 private:
  pid_t id_ = 0;
};

// Runs a command of the shell; whether it succeeded.
inline bool shell(const std::string& command) {
  return std::system(("{ " + command + "; } >/dev/null 2>&1").c_str()) == 0;
}

// mosquitto, with nothing kept from one start to the next.
class Broker {
 public:
  static std::string program() {
    for (const char* folder : {"/usr/sbin/", "/usr/bin/", "/usr/local/sbin/", "/usr/local/bin/"}) {
      if (access((std::string(folder) + "mosquitto").c_str(), X_OK) == 0)
        return std::string(folder) + "mosquitto";
    }
    return "";
  }

  // `more`: lines of its configuration.
  explicit Broker(const std::string& more = "allow_anonymous true\n") {
    std::ofstream(folder_.file("conf")) << "listener " << port << " 127.0.0.1\nuser root\nlog_dest none\n"
                                        << more;
  }
  void start() {
    process_.start({program(), "-c", folder_.file("conf")});
    EXPECT_TRUE(comes_true([&] { return Socket().connect_to(port); })) << "no broker";
  }
  void kill() { process_.kill(); }

  const int port = free_port();

 private:
  TemporaryFolder folder_;
  Process process_;
};

struct Received {
  std::string topic, payload;
  bool retained;  // was there before we came
  int qos;
};

// Subscribes to everything.
class Listener {
 public:
  explicit Listener(int port, const std::string& user = "", const std::string& password = "") {
    client_ = mosquitto_new(nullptr, true, this);
    if (!user.empty()) mosquitto_username_pw_set(client_, user.c_str(), password.c_str());
    mosquitto_subscribe_callback_set(client_, [](mosquitto*, void* self, int, int, const int*) {
      static_cast<Listener*>(self)->subscribed_ = true;
    });
    mosquitto_message_callback_set(client_, [](mosquitto*, void* self, const mosquitto_message* message) {
      auto& listener = *static_cast<Listener*>(self);
      const std::lock_guard<std::mutex> lock(listener.mutex_);
      listener.received_.push_back(
          {message->topic,
           {static_cast<const char*>(message->payload), static_cast<std::size_t>(message->payloadlen)},
           message->retain,
           message->qos});
    });
    EXPECT_EQ(mosquitto_connect(client_, "127.0.0.1", port, 60), MOSQ_ERR_SUCCESS);
    mosquitto_subscribe(client_, nullptr, "#", 1);
    thread_ = std::thread([this] {
      while (!ended_) {
        if (mosquitto_loop(client_, 50, 1) != MOSQ_ERR_SUCCESS) std::this_thread::sleep_for(50ms);
      }
    });
    EXPECT_TRUE(comes_true([&] { return subscribed_.load(); })) << "not subscribed";
  }
  ~Listener() {
    ended_ = true;
    thread_.join();
    mosquitto_destroy(client_);
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  std::vector<Received> received() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return received_;
  }
  std::size_t count() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return received_.size();
  }
  std::vector<std::string> payloads(const std::string& topic) const {
    std::vector<std::string> payloads;
    for (const Received& each : received()) {
      if (each.topic == topic) payloads.push_back(each.payload);
    }
    return payloads;
  }
  // Waits until the newest message of the topic is `payload`.
  bool hears(const std::string& topic, const std::string& payload) const {
    return comes_true([&] {
      const std::vector<std::string> all = payloads(topic);
      return !all.empty() && all.back() == payload;
    });
  }

 private:
  mosquitto* client_;
  mutable std::mutex mutex_;
  std::vector<Received> received_;  // guarded by mutex_
  std::atomic<bool> subscribed_{false}, ended_{false};
  std::thread thread_;
};

}  // namespace smearscope::testing

#define SKIP_WITHOUT_BROKER() \
  if (smearscope::testing::Broker::program().empty()) GTEST_SKIP() << "no mosquitto (package mosquitto)"
