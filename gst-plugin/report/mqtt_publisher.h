// Keeps an MQTT broker told, beside a stream that never waits for it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "report/mqtt_settings.h"

namespace smearscope {

class MqttOutbox;

// Publishes below `settings.topic`:
//   tally   the newest tally; retained, QoS 1, again on every new connection
//   cells   frames in turn; QoS 0. At most 64 frames or 4 MiB wait, then the oldest are dropped
//   status  "online" or "offline", retained, QoS 1; offline also as the will, for when the process dies
// A thread of its own looks up, connects, sends and, when the broker is unreachable, refuses or is lost,
// tries again after 1 s, 2 s, 4 s, ... 30 s, for ever. The member functions may be called from any thread,
// stop() by one; only it and the destructor wait.
class MqttPublisher {
 public:
  // Throws Error in a build without libmosquitto, std::system_error if there is no thread to be had.
  explicit MqttPublisher(const MqttSettings& settings);
  ~MqttPublisher();  // stop()
  MqttPublisher(const MqttPublisher&) = delete;
  MqttPublisher& operator=(const MqttPublisher&) = delete;

  void set_tally(std::string json);
  void add_frame(std::string json);
  std::uint64_t frames_dropped() const;

  // Tries for two seconds to send what waits, and once more to connect if need be; then says "offline" and
  // disconnects. Nothing is published after it. A thread that still hangs in a look-up or in connecting half
  // a second later is left to end by itself.
  void stop();

  // What a person should know, in lines. Of each outage one, and one more if it turns out that the broker
  // refuses the user, or TLS fails; after stop() one if not everything arrived.
  std::vector<std::string> take_warnings();

 private:
  std::shared_ptr<MqttOutbox> outbox_;  // the thread's as well
  std::string address_;
  std::thread thread_;
};

}  // namespace smearscope
