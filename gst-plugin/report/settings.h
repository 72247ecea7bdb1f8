// What a user can set on cellreport: the values, and the properties that carry them.
#pragma once

#include <glib-object.h>

#include <memory>
#include <string>
#include <vector>

#include "report/mqtt_settings.h"
#include "report/report_writer.h"

namespace smearscope {

struct ReportSettings {
  std::string csv_location, json_location, tally_location;  // empty: no file
  double min_confidence = 0;
  MqttOptions mqtt;

  // Results of a celltally are to be told, and nothing else besides.
  bool needs_tally() const { return !tally_location.empty() || (!mqtt.broker.empty() && !mqtt.frames); }
};

// The settings' properties.
enum ReportProperty : guint {
  prop_csv_location = 1,
  prop_json_location,
  prop_min_confidence,
  prop_tally_location,
  prop_mqtt_broker,
  prop_mqtt_topic,
  prop_mqtt_password_file,
  prop_mqtt_ca_file,
  prop_mqtt_frames,
  first_free_report_property,
};

void install_report_settings(GObjectClass* object_class);

// `id` is one of the settings' properties. The caller holds the lock of `settings`.
void set_report_setting(ReportSettings& settings, guint id, const GValue* value);
void get_report_setting(const ReportSettings& settings, guint id, GValue* value);

// A writer for each file and broker that the settings name. Throws Error where one can't be had.
std::vector<std::unique_ptr<ReportWriter>> make_report_writers(const ReportSettings& settings);

}  // namespace smearscope
