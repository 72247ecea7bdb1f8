#include "report/mqtt_link.h"

#include <mosquitto.h>
#include <netdb.h>
#include <poll.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <mutex>
#include <new>
#include <random>
#include <system_error>

namespace smearscope {
namespace {

using Kind = MqttFailure::Kind;

// A link that is silent for twice as long counts as lost, here; at the broker, after 22 seconds.
constexpr int keepalive_s = 15;

// One for each connection: two clients of one name would throw each other out, again and again.
// At most 23 characters, which every broker takes.
std::string client_name() {
  std::random_device random;
  char name[24];
  std::snprintf(name, sizeof name, "smearscope-%06x%06x", random() & 0xffffffU, random() & 0xffffffU);
  return name;
}

// libmosquitto ignores SIGPIPE for the whole process; that is for the application to decide.
mosquitto* new_client(void* self) {
  static std::once_flag once;
  std::call_once(once, [] { mosquitto_lib_init(); });
  struct sigaction before {};
  sigaction(SIGPIPE, nullptr, &before);
  mosquitto* const client = mosquitto_new(client_name().c_str(), true, self);
  sigaction(SIGPIPE, &before, nullptr);
  if (!client) throw std::bad_alloc();
  return client;
}

MqttFailure refusal(int code, bool named) {
  switch (code) {
    case 4:  // of MQTT's return codes those about the user
    case 5:
      return {Kind::refused, named ? "the broker does not accept this user with this password"
                                   : "the broker accepts nobody without a user"};
    default:
      return {Kind::unreachable, std::string("the broker answers: ") + mosquitto_connack_string(code)};
  }
}

// The reason alone, of "OpenSSL Error[0]: error:0A000086:SSL routines::certificate verify failed" and "Error:
// host name verification failed."
std::string reason_of(std::string log) {
  while (!log.empty() && log.back() == '.') log.pop_back();
  log.erase(0, log.rfind(':') + 1);
  log.erase(0, log.find_first_not_of(' '));
  return log;
}

// errno as it was after the call.
std::string cause_of(int result, int error) {
  switch (result) {
    case MOSQ_ERR_ERRNO:
      return std::generic_category().message(error);
    case MOSQ_ERR_EAI:
      return std::string("its host was not found: ") + gai_strerror(error);
    case MOSQ_ERR_NO_CONN:
    case MOSQ_ERR_CONN_LOST:
      return "the connection was lost";
    case MOSQ_ERR_KEEPALIVE:
      return "the broker has fallen silent";
    default:
      return mosquitto_strerror(result);
  }
}

}  // namespace

void MqttLink::Destroy::operator()(mosquitto* client) const {
  mosquitto_destroy(client);
}

MqttLink::MqttLink(const MqttSettings& settings, const MqttMessage& will)
    : settings_(settings), client_(new_client(this)) {
  prepare(will);
  check(mosquitto_connect(client_.get(), settings_.broker.host.c_str(), settings_.broker.port, keepalive_s));
}

MqttLink::~MqttLink() = default;

void MqttLink::prepare(const MqttMessage& will) {
  mosquitto* const client = client_.get();
  mosquitto_connect_callback_set(client, on_connect);
  mosquitto_publish_callback_set(client, on_publish);
  mosquitto_log_callback_set(client, on_log);
  mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1);
  check(mosquitto_will_set(client, will.topic.c_str(), static_cast<int>(will.payload.size()),
                           will.payload.data(), will.qos, will.retained));
  const MqttBroker& broker = settings_.broker;
  if (!broker.user.empty())
    check(mosquitto_username_pw_set(client, broker.user.c_str(),
                                    settings_.password.empty() ? nullptr : settings_.password.c_str()));
  if (!broker.tls) return;
  // The broker's certificate is checked, and the host's name in it: libmosquitto's default.
  if (settings_.ca_file.empty())
    check(mosquitto_int_option(client, MOSQ_OPT_TLS_USE_OS_CERTS, 1));
  else if (mosquitto_tls_set(client, settings_.ca_file.c_str(), nullptr, nullptr, nullptr, nullptr) != 0)
    throw MqttFailure(Kind::untrusted, settings_.ca_file + " can no longer be read");
}

void MqttLink::check(int result) {
  if (result == MOSQ_ERR_SUCCESS) return;
  const int error = errno;
  if (refusal_ != 0) throw refusal(refusal_, !settings_.broker.user.empty());
  if (settings_.broker.tls && !tls_error_.empty())
    throw MqttFailure(Kind::untrusted, "TLS: " + reason_of(tls_error_));
  throw MqttFailure(result == MOSQ_ERR_TLS ? Kind::untrusted : Kind::unreachable, cause_of(result, error));
}

void MqttLink::run(WakeUp& wake_up, std::chrono::milliseconds timeout) {
  mosquitto* const client = client_.get();
  pollfd polled[] = {{mosquitto_socket(client), POLLIN, 0}, {wake_up.descriptor(), POLLIN, 0}};
  if (polled[0].fd < 0) check(MOSQ_ERR_CONN_LOST);
  if (mosquitto_want_write(client)) polled[0].events |= POLLOUT;
  if (poll(polled, 2, static_cast<int>(timeout.count())) < 0 && errno != EINTR)
    throw MqttFailure(Kind::unreachable, std::generic_category().message(errno));
  if (polled[1].revents != 0) wake_up.clear();
  if ((polled[0].revents & (POLLIN | POLLERR | POLLHUP)) != 0) check(mosquitto_loop_read(client, 1));
  if ((polled[0].revents & POLLOUT) != 0) check(mosquitto_loop_write(client, 1));
  check(mosquitto_loop_misc(client));
}

void MqttLink::publish(const MqttMessage& message) {
  int id = 0;
  check(mosquitto_publish(client_.get(), &id, message.topic.c_str(), static_cast<int>(message.payload.size()),
                          message.payload.data(), message.qos, message.retained));
  if (message.qos > 0) open_.insert(id);
}

bool MqttLink::sent() const {
  return !mosquitto_want_write(client_.get());
}

void MqttLink::leave() {
  check(mosquitto_disconnect(client_.get()));
}

void MqttLink::on_connect(mosquitto*, void* self, int code) {
  auto& link = *static_cast<MqttLink*>(self);
  link.accepted_ = code == 0;
  link.refusal_ = code;
}

void MqttLink::on_publish(mosquitto*, void* self, int id) {
  static_cast<MqttLink*>(self)->open_.erase(id);
}

void MqttLink::on_log(mosquitto*, void* self, int level, const char* text) {
  auto& link = *static_cast<MqttLink*>(self);
  if (level == MOSQ_LOG_ERR && link.tls_error_.empty()) link.tls_error_ = text;
}

}  // namespace smearscope
