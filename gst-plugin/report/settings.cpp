#include "report/settings.h"

#include <algorithm>

#include "property_flags.h"
#include "report/cells_jsonl.h"
#include "report/counts_csv.h"
#include "report/mqtt_report.h"
#include "report/tally_csv.h"

namespace smearscope {
namespace {

// The text that a property sets; nullptr if it sets none.
template <typename Settings>  // const or not
auto text_setting(Settings& settings, guint id) -> decltype(&settings.csv_location) {
  switch (id) {
    case prop_csv_location:
      return &settings.csv_location;
    case prop_json_location:
      return &settings.json_location;
    case prop_tally_location:
      return &settings.tally_location;
    case prop_mqtt_broker:
      return &settings.mqtt.broker;
    case prop_mqtt_topic:
      return &settings.mqtt.topic;
    case prop_mqtt_password_file:
      return &settings.mqtt.password_file;
    case prop_mqtt_ca_file:
      return &settings.mqtt.ca_file;
    default:
      return nullptr;
  }
}

void install_text(GObjectClass* object_class, guint id, const char* name, const char* nick, const char* blurb,
                  const char* default_value = "") {
  g_object_class_install_property(object_class, id,
                                  g_param_spec_string(name, nick, blurb, default_value, before_start));
}

void install_files(GObjectClass* object_class) {
  install_text(object_class, prop_csv_location, "csv-location", "CSV location",
               "File that gets the number of cells per frame and class, with the columns frame, time_s, "
               "class, count; written as FILE.part and renamed at the end of the stream (none = no file)");
  install_text(
      object_class, prop_json_location, "json-location", "JSON location",
      "File that gets one line of JSON per frame, with its time and every cell's class, confidence, "
      "box and identity; written as FILE.part and renamed at the end of the stream (none = no file)");
  install_text(object_class, prop_tally_location, "tally-location", "Tally location",
               "File that gets the cells that a celltally before this element counted, by class, with their "
               "shares of their families in percent and the 95% limits of these; replaced every second while "
               "counts change (none = no file)");
  g_object_class_install_property(
      object_class, prop_min_confidence,
      g_param_spec_double("min-confidence", "Minimum confidence", "Cells below it are left out of the report",
                          0.0, 1.0, 0.0, any_time));
}

void install_mqtt(GObjectClass* object_class) {
  install_text(
      object_class, prop_mqtt_broker, "mqtt-broker", "MQTT broker",
      "Broker that gets the counts of a celltally before this element, at most once a second while "
      "they change and at the end: mqtt://[USER@]HOST[:PORT], or mqtts:// for TLS (none = nothing is "
      "published). The stream never waits for it; one that can't be reached, or is lost, is a warning, "
      "and is tried again for ever");
  install_text(
      object_class, prop_mqtt_topic, "mqtt-topic", "MQTT topic",
      "What all topics begin with: TOPIC/tally and TOPIC/status (online or offline), both retained, and "
      "TOPIC/cells. Two streams on one broker need two",
      default_mqtt_topic);
  install_text(
      object_class, prop_mqtt_password_file, "mqtt-password-file", "MQTT password file",
      "File whose first line is the password of the user whom mqtt-broker names (none = no password)");
  install_text(object_class, prop_mqtt_ca_file, "mqtt-ca-file", "MQTT CA file",
               "File of the certificates (PEM) that a broker of mqtts:// must be vouched for by (none = the "
               "system's)");
  g_object_class_install_property(
      object_class, prop_mqtt_frames,
      g_param_spec_boolean("mqtt-frames", "MQTT frames",
                           "Whether every frame's cells are published as well, as TOPIC/cells: what "
                           "json-location has as a line. Frames that the link can't carry are dropped",
                           FALSE, before_start));
}

// Throws Error if two of the files are to be one.
void check_apart(const std::vector<std::string>& paths) {
  for (auto path = paths.begin(); path != paths.end(); ++path) {
    if (!path->empty() && std::find(path + 1, paths.end(), *path) != paths.end())
      throw Error(*path + ": is to be two files of the report at once");
  }
}

bool wants_mqtt(const MqttOptions& options) {
  return !options.broker.empty() || !options.password_file.empty() || !options.ca_file.empty() ||
         options.frames || options.topic != default_mqtt_topic;
}

}  // namespace

void install_report_settings(GObjectClass* object_class) {
  install_files(object_class);
  install_mqtt(object_class);
}

void set_report_setting(ReportSettings& settings, guint id, const GValue* value) {
  if (auto* const setting = text_setting(settings, id)) {
    const gchar* text = g_value_get_string(value);
    *setting = text ? text : "";
  } else if (id == prop_min_confidence) {
    settings.min_confidence = g_value_get_double(value);
  } else if (id == prop_mqtt_frames) {
    settings.mqtt.frames = g_value_get_boolean(value);
  }
}

void get_report_setting(const ReportSettings& settings, guint id, GValue* value) {
  if (const auto* const setting = text_setting(settings, id))
    g_value_set_string(value, setting->c_str());
  else if (id == prop_min_confidence)
    g_value_set_double(value, settings.min_confidence);
  else if (id == prop_mqtt_frames)
    g_value_set_boolean(value, settings.mqtt.frames);
}

// The broker comes last: no thread is begun for a report that fails.
std::vector<std::unique_ptr<ReportWriter>> make_report_writers(const ReportSettings& settings) {
  check_apart({settings.csv_location, settings.json_location, settings.tally_location});
  std::vector<std::unique_ptr<ReportWriter>> writers;
  if (!settings.csv_location.empty()) writers.push_back(std::make_unique<CountsCsv>(settings.csv_location));
  if (!settings.json_location.empty())
    writers.push_back(std::make_unique<CellsJsonl>(settings.json_location));
  if (!settings.tally_location.empty())
    writers.push_back(std::make_unique<TallyCsv>(settings.tally_location));
  if (wants_mqtt(settings.mqtt)) writers.push_back(std::make_unique<MqttReport>(settings.mqtt));
  return writers;
}

}  // namespace smearscope
