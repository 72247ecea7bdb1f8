// cellreport and a broker: what is published of a stream, and what the bus says.
#include <fstream>
#include <nlohmann/json.hpp>

#include "cell_meta.h"
#include "element_harness.h"
#include "mqtt_broker.h"

namespace smearscope {
namespace {

using nlohmann::json;
using testing::Broker;
using testing::BufferPointer;
using testing::comes_true;
using testing::Harness;
using testing::Listener;
using testing::noise_frame;
using testing::raw_caps;
using testing::TemporaryFolder;
using namespace std::chrono_literals;

const std::string caps = raw_caps("GRAY8", 16, 16);

BufferPointer frame_with(int number, const std::vector<Cell>& cells) {
  BufferPointer frame = noise_frame(caps, number);
  attach_cells(frame.get(), cells);
  return frame;
}

BufferPointer frame_with_tally(int number, guint64 neutrophils) {
  BufferPointer frame = frame_with(number, {});
  Tally tally;
  tally.rows = {{"wbc", "wbc", 0, 5},
                {"neutrophil", "wbc", 1, neutrophils, "2+", true},
                {"platelet", "platelet", 2, 7},
                {"erythroblast", "erythroblast", 3, 3}};
  tally.platelet_estimate = 249.6;
  tally.view = View::too_dark;
  tally.pixel_size_um = 0.25;
  tally.parts = 2;
  tally.detections = static_cast<guint64>(number) + 1;
  tally.target = 100;
  tally.target_class = "wbc";
  tally.target_count = 5 + neutrophils;
  attach_tally(frame.get(), tally);
  return frame;
}

std::string broker_at(int port) {
  return " mqtt-broker=mqtt://127.0.0.1:" + std::to_string(port) + " ";
}

// cellreport in a harness, with what it says on the bus.
class Report {
 public:
  explicit Report(const std::string& properties) : harness_("cellreport" + properties), bus_(gst_bus_new()) {
    gst_element_set_bus(harness_.element(), bus_);
    harness_.caps(caps);
  }
  ~Report() {
    gst_element_set_bus(harness_.element(), nullptr);
    gst_object_unref(bus_);
  }
  Report(const Report&) = delete;
  Report& operator=(const Report&) = delete;

  void push(BufferPointer frame) { ASSERT_TRUE(harness_.push_and_pull(std::move(frame))); }
  void end() { ASSERT_TRUE(gst_harness_push_event(harness_.get(), gst_event_new_eos())); }
  std::vector<std::string> warnings() {
    std::vector<std::string> texts;
    while (GstMessage* message = gst_bus_pop_filtered(bus_, GST_MESSAGE_WARNING)) {
      GError* warning = nullptr;
      gst_message_parse_warning(message, &warning, nullptr);
      texts.emplace_back(warning->message);
      g_error_free(warning);
      gst_message_unref(message);
    }
    return texts;
  }
  std::uint64_t dropped() const { return harness_.count("mqtt-frames-dropped"); }

 private:
  Harness harness_;
  GstBus* bus_;
};

class CellReportMqtt : public ::testing::Test {
 protected:
  void SetUp() override { SKIP_WITHOUT_BROKER(); }
};

// The numbers of the table of tally-location, at most once a second of the stream while counts change, and at
// the end, which whoever waits for EOS finds published.
TEST_F(CellReportMqtt, PublishesTheTally) {
  Broker broker;
  broker.start();
  const Listener listener(broker.port);
  Report report(broker_at(broker.port) + "mqtt-topic=lab");
  report.push(frame_with_tally(0, 15));
  ASSERT_TRUE(comes_true([&] { return listener.payloads("lab/tally").size() == 1; }));
  EXPECT_EQ(json::parse(listener.payloads("lab/tally")[0]), json::parse(R"({
    "time_s": 0.0, "cells": 30, "parts": 2, "detections": 1, "target": 100, "target_class": "wbc", "target_count": 20,
    "view": "too-dark", "pixel_size_um": 0.25,
    "classes": [
      {"class": "wbc", "family": null, "count": 20, "percent": null, "low": null, "high": null},
      {"class": "neutrophil", "family": "wbc", "count": 15, "percent": 75.0, "low": 50.9, "high": 91.3,
       "grade": "2+", "weak": true},
      {"class": "unidentified", "family": "wbc", "count": 5, "percent": 25.0, "low": 8.7, "high": 49.1},
      {"class": "platelet", "family": null, "count": 7, "percent": null, "low": null, "high": null,
       "estimate_1e9_per_l": 250.0},
      {"class": "erythroblast", "family": null, "count": 3, "percent": null, "low": null, "high": null,
       "per_100_wbc": 15.0}]})"));
  const auto expect_tallies = [&](std::size_t count) {
    EXPECT_TRUE(comes_true([&] { return listener.payloads("lab/tally").size() >= count; }));
    std::this_thread::sleep_for(300ms);  // one too many would come as fast
    EXPECT_EQ(listener.payloads("lab/tally").size(), count);
  };
  report.push(frame_with_tally(29, 16));  // not a second old
  expect_tallies(1);
  report.push(frame_with_tally(30, 17));
  expect_tallies(2);
  report.push(frame_with_tally(60, 17));  // unchanged
  expect_tallies(2);
  report.push(frame_with_tally(90, 19));
  expect_tallies(3);
  report.push(frame_with_tally(91, 19));
  report.end();
  ASSERT_TRUE(listener.hears("lab/status", "offline"));
  std::vector<int> counts;
  for (const std::string& text : listener.payloads("lab/tally"))
    counts.push_back(json::parse(text)["target_count"]);
  EXPECT_EQ(counts, (std::vector<int>{20, 22, 24, 24}));
  EXPECT_EQ(json::parse(listener.payloads("lab/tally").back())["detections"], 92) << "the last frame's";
  EXPECT_TRUE(listener.payloads("lab/cells").empty());
  EXPECT_TRUE(report.warnings().empty());
}

std::vector<std::string> lines_of(const std::string& path) {
  std::vector<std::string> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

// With mqtt-frames the broker gets what the file gets; without a celltally that is no mistake.
TEST_F(CellReportMqtt, PublishesEveryFrameIfAsked) {
  Broker broker;
  broker.start();
  const Listener listener(broker.port);
  const TemporaryFolder folder;
  Report report(broker_at(broker.port) +
                "mqtt-frames=true min-confidence=0.5 json-location=" + folder.file("cells"));
  const Cell rbc{{1, 1.5, 5, 5}, 0.75, 1, "rbc", 2}, faint{{1, 1, 5, 5}, 0.3, 1, "rbc", 0};
  report.push(frame_with(0, {rbc, faint}));
  report.push(frame_with(3, {}));
  report.end();
  ASSERT_TRUE(listener.hears("smearscope/status", "offline"));
  const std::vector<std::string> frames = listener.payloads("smearscope/cells");
  ASSERT_EQ(frames.size(), 2U);
  EXPECT_EQ(frames, lines_of(folder.file("cells")));
  EXPECT_TRUE(report.warnings().empty());
}

// As of tally-location: the pipeline lacks something.
TEST_F(CellReportMqtt, WithoutATallyThereIsAWarning) {
  Broker broker;
  broker.start();
  Report report(broker_at(broker.port));
  report.push(frame_with(0, {}));
  report.end();
  const std::vector<std::string> warnings = report.warnings();
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_NE(warnings[0].find("Put celltally"), std::string::npos) << warnings[0];
}

// A broker that goes and comes while the stream runs: one warning on the bus, and in the end everything is
// there.
TEST_F(CellReportMqtt, TheStreamOutlivesTheBroker) {
  Broker broker;
  broker.start();
  Report report(broker_at(broker.port) + "mqtt-frames=true");
  report.push(frame_with_tally(0, 1));
  EXPECT_TRUE(Listener(broker.port).hears("smearscope/status", "online"));
  broker.kill();
  std::vector<std::string> warnings;
  int number = 1;
  const auto more_warnings = [&] {
    report.push(frame_with_tally(number, static_cast<guint64>(number)));
    ++number;
    for (std::string& line : report.warnings()) warnings.push_back(line);
  };
  ASSERT_TRUE(comes_true([&] { return more_warnings(), !warnings.empty(); }));
  for (int i = 0; i < 200; ++i) more_warnings();
  EXPECT_GT(report.dropped(), 0U);
  broker.start();
  const Listener listener(broker.port);
  ASSERT_TRUE(comes_true([&] { return more_warnings(), !listener.payloads("smearscope/tally").empty(); }));
  EXPECT_EQ(warnings.size(), 1U) << warnings.back();
  report.end();
  ASSERT_TRUE(listener.hears("smearscope/status", "offline"));
  EXPECT_EQ(json::parse(listener.payloads("smearscope/tally").back())["detections"], number);
  const std::vector<std::string> last = report.warnings();
  ASSERT_EQ(last.size(), 1U);
  EXPECT_NE(last[0].find(std::to_string(report.dropped()) + " frames were dropped"), std::string::npos)
      << last[0];
}

// What can't be met stops the element before the first frame, and no password is in what it says.
TEST(CellReportMqttErrors, AreToldAtTheStart) {
  const struct {
    const char *properties, *says;
  } mistakes[] = {
      {"mqtt-broker=localhost", "mqtt-broker: does not begin with mqtt://"},
      {"mqtt-broker=mqtt://me:geheim@localhost", "mqtt-broker: no password belongs"},
      {"mqtt-broker=mqtt://localhost mqtt-topic=a/#", "mqtt-topic: "},
      {"mqtt-broker=mqtt://me@localhost mqtt-password-file=/nowhere",
       "mqtt-password-file: /nowhere: cannot be read"},
      {"mqtt-broker=mqtts://localhost mqtt-ca-file=/nowhere", "mqtt-ca-file: /nowhere: cannot be read"},
      {"mqtt-frames=true", "mqtt-broker: is not set"},
      {"mqtt-topic=lab", "mqtt-broker: is not set"},
  };
  for (const auto& mistake : mistakes) {
    SCOPED_TRACE(mistake.properties);
    GstElement* element =
        gst_parse_launch((std::string("cellreport ") + mistake.properties).c_str(), nullptr);
    GstBus* bus = gst_bus_new();
    gst_element_set_bus(element, bus);
    EXPECT_EQ(gst_element_set_state(element, GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
    GstMessage* message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);
    ASSERT_NE(message, nullptr);
    GError* error = nullptr;
    gst_message_parse_error(message, &error, nullptr);
    EXPECT_NE(std::string(error->message).find(mistake.says), std::string::npos) << error->message;
    EXPECT_EQ(std::string(error->message).find("geheim"), std::string::npos) << error->message;
    g_error_free(error);
    gst_message_unref(message);
    gst_element_set_state(element, GST_STATE_NULL);
    gst_element_set_bus(element, nullptr);
    gst_object_unref(bus);
    gst_object_unref(element);
  }
}

}  // namespace
}  // namespace smearscope
