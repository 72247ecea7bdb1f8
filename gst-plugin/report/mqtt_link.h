// One connection to an MQTT broker (MQTT 3.1.1, through libmosquitto).
#pragma once

#include <chrono>
#include <memory>
#include <set>
#include <string>

#include "report/mqtt_settings.h"
#include "report/wake_up.h"

struct mosquitto;

namespace smearscope {

// Why there is no connection, or no longer; what() is the cause alone, for a person.
class MqttFailure : public Error {
 public:
  enum class Kind {
    unreachable,  // or lost
    refused,      // user or password
    untrusted,    // TLS
  };
  MqttFailure(Kind kind, const std::string& cause) : Error(cause), kind(kind) {}
  Kind kind;
};

struct MqttMessage {
  std::string topic, payload;
  bool retained = false;  // the broker keeps it for those who come later
  int qos = 0;            // 0: at most once; 1: at least once
};

// All calls come from one thread, in which signals are blocked: libmosquitto writes to sockets that may be
// closed. Every function but the destructor throws MqttFailure, after which only the destructor may be
// called.
class MqttLink {
 public:
  // Looks the host up and connects, which may take minutes and can't be interrupted. If the connection ends
  // otherwise than by leave(), the broker publishes `will`.
  MqttLink(const MqttSettings& settings, const MqttMessage& will);
  ~MqttLink();
  MqttLink(const MqttLink&) = delete;
  MqttLink& operator=(const MqttLink&) = delete;

  // Sends and receives; returns when something was, when `wake_up` rang, or after `timeout`.
  void run(WakeUp& wake_up, std::chrono::milliseconds timeout);

  bool accepted() const { return accepted_; }  // the broker let us in: messages may be published
  void publish(const MqttMessage& message);    // never waits: what the socket doesn't take, run() sends
  bool sent() const;                           // the socket has taken everything
  bool acknowledged() const { return open_.empty(); }  // the broker has every message of QoS 1
  void leave();                                        // no will

 private:
  struct Destroy {
    void operator()(mosquitto* client) const;
  };
  void prepare(const MqttMessage& will);
  void check(int result);  // of a call of libmosquitto

  // Called back by libmosquitto, with the link as `self`.
  static void on_connect(mosquitto*, void* self, int code);
  static void on_publish(mosquitto*, void* self, int id);
  static void on_log(mosquitto*, void* self, int level, const char* text);

  MqttSettings settings_;
  std::unique_ptr<mosquitto, Destroy> client_;
  bool accepted_ = false;
  int refusal_ = 0;        // the broker's return code; 0: none
  std::set<int> open_;     // messages of QoS 1 that the broker has not acknowledged
  std::string tls_error_;  // first line that libmosquitto logged as an error
};

}  // namespace smearscope
