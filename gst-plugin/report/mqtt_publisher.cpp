#include "report/mqtt_publisher.h"

#include <pthread.h>

#include <algorithm>
#include <csignal>
#include <set>

#include "report/mqtt_link.h"
#include "report/mqtt_outbox.h"

namespace smearscope {
namespace {

using Clock = MqttOutbox::Clock;
using Kind = MqttFailure::Kind;
using namespace std::chrono_literals;

constexpr Clock::duration shortest_delay = 1s, longest_delay = 30s;  // between two attempts to connect
constexpr Clock::duration answer_time = 10s;  // until a broker that is connected must have let us in
constexpr Clock::duration stop_time = 2s, grace = 500ms;

// The publishing thread.
class Courier {
 public:
  Courier(MqttOutbox& outbox, const MqttSettings& settings) : outbox_(outbox), settings_(settings) {}
  void run();

 private:
  bool attempt();
  void converse();
  bool is_let_in(MqttLink& link);
  void hand_over(MqttLink& link);
  void say_farewell(MqttLink& link);
  void complain(Kind kind, const std::string& cause);

  void run(MqttLink& link) { link.run(outbox_.wake_up(), outbox_.closed() ? 100ms : 1000ms); }
  std::string topic(const char* level) const { return settings_.topic + "/" + level; }
  MqttMessage status(const char* text) const { return {topic("status"), text, true, 1}; }

  MqttOutbox& outbox_;
  const MqttSettings settings_;
  std::set<Kind> told_;  // of this outage
};

// Ends when the outbox is closed and empty, or its time is up. An attempt to connect that begins after the
// close is the last.
void Courier::run() {
  Clock::duration delay = shortest_delay;
  for (bool last = false; !last; delay = std::min(2 * delay, longest_delay)) {
    last = outbox_.closed();
    if (last && (outbox_.expired() || !outbox_.waiting())) return;
    const Clock::time_point began = Clock::now();
    if (attempt()) return;
    if (Clock::now() - began > longest_delay) delay = shortest_delay;
    outbox_.wait_for_close(delay);
  }
}

// False if there is something left to do.
bool Courier::attempt() {
  try {
    converse();
    return true;
  } catch (const MqttFailure& failure) {
    complain(failure.kind, failure.what());
  } catch (const std::exception& error) {
    complain(Kind::unreachable, error.what());
  }
  outbox_.return_tally();  // a broker that has restarted may have forgotten it
  return false;
}

// One connection, from its beginning to the end of the outbox.
void Courier::converse() {
  MqttLink link(settings_, status("offline"));
  if (!is_let_in(link)) return;
  told_.clear();
  link.publish(status("online"));
  while (!outbox_.expired()) {
    hand_over(link);
    if (outbox_.closed() && !outbox_.waiting() && link.sent() && link.acknowledged())
      return say_farewell(link);
    run(link);
  }
  if (!link.acknowledged()) outbox_.return_tally();
}

// False if there is no more time for it.
bool Courier::is_let_in(MqttLink& link) {
  const Clock::time_point latest = Clock::now() + answer_time;
  while (!link.accepted()) {
    if (outbox_.expired()) return false;
    if (Clock::now() > latest) throw MqttFailure(Kind::unreachable, "it does not answer");
    run(link);
  }
  return true;
}

// A tally goes when the one before has arrived, frames as the socket takes them: what the link can't carry
// waits, and gives way, in the outbox.
void Courier::hand_over(MqttLink& link) {
  if (link.acknowledged()) {
    if (const auto tally = outbox_.take_tally()) link.publish({topic("tally"), *tally, true, 1});
  }
  while (link.sent()) {
    const auto frame = outbox_.take_frame();
    if (!frame) return;
    link.publish({topic("cells"), *frame});
  }
}

void Courier::say_farewell(MqttLink& link) {
  try {
    link.publish(status("offline"));
    while (!link.acknowledged() && !outbox_.expired()) run(link);
    if (!link.acknowledged()) return;
    link.leave();
    while (!link.sent() && !outbox_.expired()) run(link);
  } catch (const MqttFailure&) {
    // Everything has arrived, and the will says the rest.
  }
}

void Courier::complain(Kind kind, const std::string& cause) {
  if (!told_.insert(kind).second) return;
  outbox_.warn("Can't publish to " + settings_.broker.address() + ": " + cause + "." +
               (outbox_.closed() ? "" : " The stream goes on, and the broker is tried again."));
}

void run_courier(const std::shared_ptr<MqttOutbox>& outbox, const MqttSettings& settings) {
  pthread_setname_np(pthread_self(), "cellreport-mqtt");
  sigset_t all;  // signals are the application's, and SIGPIPE nobody's; see MqttLink
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  Courier(*outbox, settings).run();
  outbox->finish();
}

}  // namespace

MqttPublisher::MqttPublisher(const MqttSettings& settings)
    : outbox_(std::make_shared<MqttOutbox>()),
      address_(settings.broker.address()),
      thread_(run_courier, outbox_, settings) {}

MqttPublisher::~MqttPublisher() {
  stop();
}

void MqttPublisher::set_tally(std::string json) {
  outbox_->set_tally(std::move(json));
}

void MqttPublisher::add_frame(std::string json) {
  outbox_->add_frame(std::move(json));
}

std::uint64_t MqttPublisher::frames_dropped() const {
  return outbox_->frames_dropped();
}

std::vector<std::string> MqttPublisher::take_warnings() {
  return outbox_->take_warnings();
}

void MqttPublisher::stop() {
  if (!thread_.joinable()) return;
  const Clock::time_point deadline = Clock::now() + stop_time;
  outbox_->close(deadline);
  // Looking up a name and connecting can't be interrupted, and may take minutes.
  if (outbox_->wait_for_finish(deadline + grace))
    thread_.join();
  else
    thread_.detach();
  const bool tally_arrived = outbox_->give_up();
  const std::uint64_t dropped = outbox_->frames_dropped();
  if (tally_arrived && dropped == 0) return;
  outbox_->warn("Not everything was published to " + address_ + ":" +
                (tally_arrived ? "" : " the last counts are missing") +
                (!tally_arrived && dropped > 0 ? ", and" : "") +
                (dropped > 0 ? " " + std::to_string(dropped) + " frames were dropped" : "") + ".");
}

}  // namespace smearscope
