#include "report/mqtt_settings.h"

#include <glib.h>

#include <algorithm>
#include <cstring>

#include "small_file.h"

namespace smearscope {
namespace {

constexpr std::size_t longest_host = 253;    // of a name in DNS
constexpr std::size_t longest_user = 65535;  // bytes of a string in MQTT
constexpr std::size_t longest_topic = 255;   // with the last level some 260 of 65,535: brokers have limits
constexpr int port_of_mqtt = 1883, port_of_mqtts = 8883;

// The URL itself stays out: a password may be in it.
[[noreturn]] void refuse_broker(const std::string& what) {
  throw Error("mqtt-broker: " + what + "; it is written mqtt://[USER@]HOST[:PORT], or mqtts://...");
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

bool is_printable_utf8(const std::string& text) {
  return g_utf8_validate(text.data(), static_cast<gssize>(text.size()), nullptr) &&
         std::none_of(text.begin(), text.end(), is_control);
}

std::string user_of(const std::string& text) {
  if (text.empty()) refuse_broker("no user before @");
  if (text.find(':') != std::string::npos)
    refuse_broker("no password belongs into a URL, which others can read: use mqtt-password-file");
  std::string user;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool coded = text[i] == '%';
    if (coded && (i + 2 >= text.size() || !g_ascii_isxdigit(text[i + 1]) || !g_ascii_isxdigit(text[i + 2])))
      refuse_broker("% in the user without two hexadecimal digits");
    if (!coded && !g_ascii_isalnum(text[i]) && !std::strchr("-._~!$&'()*+,;=", text[i]))
      refuse_broker("a character in the user that has to be written as %XX");
    user +=
        coded ? static_cast<char>(16 * g_ascii_xdigit_value(text[i + 1]) + g_ascii_xdigit_value(text[i + 2]))
              : text[i];
    if (coded) i += 2;
  }
  if (user.size() > longest_user || !is_printable_utf8(user)) refuse_broker("the user is not plain UTF-8");
  return user;
}

int port_of(const std::string& text) {
  const bool digits = !text.empty() && text.size() <= 5 && std::all_of(text.begin(), text.end(), is_digit);
  const int port = digits ? std::stoi(text) : 0;
  if (port < 1 || port > 65535) refuse_broker("the port is no number from 1 to 65535");
  return port;
}

std::string host_of(const std::string& text, bool address) {
  if (text.empty()) refuse_broker("no host");
  const auto belongs = [&](char c) {
    return address ? g_ascii_isxdigit(c) || c == ':' || c == '.'
                   : g_ascii_isalnum(c) || std::strchr("-._", c);
  };
  if (text.size() > longest_host || !std::all_of(text.begin(), text.end(), belongs))
    refuse_broker("no valid host, and nothing may stand behind host and port");
  return text;
}

// The first line; what an editor may have left behind it is none of the password.
std::string read_password(const std::string& path) {
  const std::string text = read_small_file("mqtt-password-file", path);
  std::string line = text.substr(0, text.find('\n'));
  if (!line.empty() && line.back() == '\r') line.pop_back();
  if (line.empty()) throw Error("mqtt-password-file: " + path + ": its first line, the password, is empty");
  if (line.size() > longest_user || line.find('\0') != std::string::npos)
    throw Error("mqtt-password-file: " + path + ": its first line is no password");
  return line;
}

void check_certificates(const std::string& path) {
  if (read_small_file("mqtt-ca-file", path).find("CERTIFICATE-----") == std::string::npos)
    throw Error("mqtt-ca-file: " + path + ": has no certificate in it (PEM)");
}

}  // namespace

std::string MqttBroker::address() const {
  const bool brackets = host.find(':') != std::string::npos;
  return (tls ? "mqtts://" : "mqtt://") + (brackets ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

MqttBroker parse_mqtt_broker(const std::string& url) {
  MqttBroker broker;
  const std::size_t scheme = url.find("://");
  broker.tls = url.compare(0, scheme, "mqtts") == 0;
  if (scheme == std::string::npos || (!broker.tls && url.compare(0, scheme, "mqtt") != 0))
    refuse_broker("does not begin with mqtt:// or mqtts://");
  std::string rest = url.substr(scheme + 3);
  if (const std::size_t at = rest.rfind('@'); at != std::string::npos) {
    broker.user = user_of(rest.substr(0, at));
    rest.erase(0, at + 1);
  }
  const bool address = !rest.empty() && rest.front() == '[';
  const std::size_t end = address ? rest.find(']') : rest.find(':');
  if (address && end == std::string::npos) refuse_broker("no ] behind the address");
  broker.host = host_of(address ? rest.substr(1, end - 1) : rest.substr(0, end), address);
  const std::string behind = end == std::string::npos ? "" : rest.substr(end + (address ? 1 : 0));
  broker.port = broker.tls ? port_of_mqtts : port_of_mqtt;
  if (behind.empty()) return broker;
  if (behind.front() != ':') refuse_broker("only a port may stand behind the address");
  broker.port = port_of(behind.substr(1));
  return broker;
}

void check_mqtt_topic(const std::string& topic) {
  const auto refuse = [](const std::string& what) { throw Error("mqtt-topic: " + what); };
  if (topic.empty()) refuse("is empty");
  if (topic.size() > longest_topic) refuse("has more than " + std::to_string(longest_topic) + " bytes");
  if (!is_printable_utf8(topic)) refuse("is not plain UTF-8");
  if (topic.find_first_of("+#") != std::string::npos) refuse("may not have + or # in it");
  if (topic.front() == '$') refuse("may not begin with $");
  if (topic.front() == '/' || topic.back() == '/' || topic.find("//") != std::string::npos)
    refuse("may not have an empty level, at / in the beginning, at the end or doubled");
}

MqttSettings read_mqtt_settings(const MqttOptions& options) {
  if (options.broker.empty())
    throw Error("mqtt-broker: is not set, and without it the other properties of mqtt have no meaning");
  MqttSettings settings{parse_mqtt_broker(options.broker), options.topic, "", options.ca_file};
  check_mqtt_topic(options.topic);
  if (!options.password_file.empty()) {
    if (settings.broker.user.empty())
      throw Error("mqtt-password-file: a password without a user; mqtt-broker names it: mqtt://USER@HOST");
    settings.password = read_password(options.password_file);
  }
  if (!options.ca_file.empty()) {
    if (!settings.broker.tls)
      throw Error("mqtt-ca-file: certificates are used with mqtts:// alone, and mqtt-broker is mqtt://");
    check_certificates(options.ca_file);
  }
  return settings;
}

}  // namespace smearscope
