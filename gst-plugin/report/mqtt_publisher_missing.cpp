// MqttPublisher in a build without libmosquitto.
#include "report/mqtt_publisher.h"

namespace smearscope {

MqttPublisher::MqttPublisher(const MqttSettings&) {
  throw Error("mqtt-broker: this build can't publish: libmosquitto was not there when it was made");
}
MqttPublisher::~MqttPublisher() = default;
void MqttPublisher::set_tally(std::string) {}
void MqttPublisher::add_frame(std::string) {}
std::uint64_t MqttPublisher::frames_dropped() const {
  return 0;
}
void MqttPublisher::stop() {}
std::vector<std::string> MqttPublisher::take_warnings() {
  return {};
}

}  // namespace smearscope
