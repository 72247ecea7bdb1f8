// Where results are published: an MQTT broker, read from what a user writes.
#pragma once

#include <string>

#include "smearscope/error.h"

namespace smearscope {

inline constexpr const char* default_mqtt_topic = "smearscope";

struct MqttBroker {
  bool tls = false;
  std::string user;  // empty: none
  std::string host;  // a name or an address, IPv6 without brackets
  int port = 0;

  std::string address() const;  // "mqtt://HOST:PORT", for messages
};

// As a user sets them.
struct MqttOptions {
  std::string broker;  // a URL; empty: nothing is published
  std::string topic = default_mqtt_topic;
  std::string password_file;  // empty: no password
  std::string ca_file;        // empty: the system's certificates
  bool frames = false;        // every frame's cells as well
};

struct MqttSettings {
  MqttBroker broker;
  std::string topic;     // all topics begin with it and a slash
  std::string password;  // empty: none
  std::string ca_file;   // as in MqttOptions
};

// All three throw Error: one line that names the property, and never holds a password.

// mqtt://[USER@]HOST[:PORT] or mqtts://..., and nothing behind it; ports are 1883 and 8883 unless given. In
// USER, what is not a letter, digit or one of -._~!$&'()*+,;= is written as %XX.
MqttBroker parse_mqtt_broker(const std::string& url);

// A topic that every broker takes from a publisher: no wildcards, empty levels or control characters, none of
// the broker's own ($SYS), at most 255 bytes.
void check_mqtt_topic(const std::string& topic);

// Reads the files.
MqttSettings read_mqtt_settings(const MqttOptions& options);

}  // namespace smearscope
