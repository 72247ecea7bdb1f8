// Results for an MQTT broker; docs/results-format.md has topics and payloads.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "report/mqtt_publisher.h"
#include "report/report_writer.h"
#include "report/tally_table.h"

namespace smearscope {

// The tally is published when counts have changed and a second of the stream has passed since the last time,
// and at the end; frames, if they are asked for, each. add() never waits, finish() as MqttPublisher::stop().
class MqttReport : public ReportWriter {
 public:
  explicit MqttReport(const MqttOptions& options);  // throws Error on what read_mqtt_settings refuses
  void add(const ReportedFrame& frame) override;
  void finish() override;
  std::vector<std::string> take_warnings() override { return publisher_.take_warnings(); }
  std::uint64_t frames_dropped() const override { return publisher_.frames_dropped(); }

 private:
  const bool frames_;
  MqttPublisher publisher_;
  std::optional<Tally> tally_, published_;
  std::optional<double> tally_time_s_;
  TallyPace pace_;
};

}  // namespace smearscope
