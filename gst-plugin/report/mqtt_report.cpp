#include "report/mqtt_report.h"

#include "report/results_json.h"

namespace smearscope {

MqttReport::MqttReport(const MqttOptions& options)
    : frames_(options.frames), publisher_(read_mqtt_settings(options)) {}

void MqttReport::add(const ReportedFrame& frame) {
  if (frames_) publisher_.add_frame(cells_json(frame));
  if (!frame.tally) return;
  tally_ = frame.tally;
  tally_time_s_ = frame.time_s;
  if (!pace_.due(frame.time_s) || (published_ && is_same(*tally_, *published_))) return;
  publisher_.set_tally(tally_json(*tally_, tally_time_s_));
  published_ = tally_;
}

void MqttReport::finish() {
  if (tally_) publisher_.set_tally(tally_json(*tally_, tally_time_s_));
  publisher_.stop();
}

}  // namespace smearscope
