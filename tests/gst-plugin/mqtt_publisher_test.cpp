// MqttPublisher at a real broker: what it says, and what it does while the broker is away.
#include "report/mqtt_publisher.h"

#include <csignal>

#include "mqtt_broker.h"

namespace smearscope {
namespace {

using testing::Broker;
using testing::comes_true;
using testing::Listener;
using testing::Process;
using testing::Received;
using testing::seconds_since;

constexpr const char *tally_topic = "lab/7/tally", *cells_topic = "lab/7/cells",
                     *status_topic = "lab/7/status";

MqttSettings settings_for(int port) {
  MqttSettings settings;
  settings.broker.host = "127.0.0.1";
  settings.broker.port = port;
  settings.topic = "lab/7";
  return settings;
}

// Collects until `count` warnings are there.
std::vector<std::string> warnings_of(MqttPublisher& publisher, std::size_t count) {
  std::vector<std::string> warnings;
  comes_true([&] {
    for (std::string& line : publisher.take_warnings()) warnings.push_back(line);
    return warnings.size() >= count;
  });
  return warnings;
}

class MqttPublisherTest : public ::testing::Test {
 protected:
  void SetUp() override { SKIP_WITHOUT_BROKER(); }
};

// Everything arrives in its order, and stop() returns when it has.
TEST_F(MqttPublisherTest, SaysStatusTallyAndFrames) {
  Broker broker;
  broker.start();
  const Listener listener(broker.port);
  MqttPublisher publisher(settings_for(broker.port));
  publisher.set_tally("1");
  ASSERT_TRUE(listener.hears(tally_topic, "1"));
  for (int i = 0; i < 50; ++i) publisher.add_frame("frame " + std::to_string(i));
  publisher.set_tally("2");
  publisher.stop();
  ASSERT_TRUE(listener.hears(status_topic, "offline"));
  EXPECT_EQ(listener.payloads(status_topic), (std::vector<std::string>{"online", "offline"}));
  EXPECT_EQ(listener.payloads(tally_topic), (std::vector<std::string>{"1", "2"}));
  const std::vector<std::string> frames = listener.payloads(cells_topic);
  ASSERT_EQ(frames.size(), 50U);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(frames[static_cast<std::size_t>(i)], "frame " + std::to_string(i));
  for (const Received& each : listener.received()) EXPECT_EQ(each.qos, each.topic == cells_topic ? 0 : 1);
  EXPECT_EQ(publisher.frames_dropped(), 0U);
  EXPECT_TRUE(publisher.take_warnings().empty());
}

// Who comes later sees the last tally and status; frames are past.
TEST_F(MqttPublisherTest, TallyAndStatusAreRetained) {
  Broker broker;
  broker.start();
  MqttPublisher publisher(settings_for(broker.port));
  publisher.set_tally("1");
  publisher.add_frame("frame");
  publisher.stop();
  const Listener late(broker.port);
  ASSERT_TRUE(late.hears(tally_topic, "1"));
  ASSERT_TRUE(late.hears(status_topic, "offline"));
  for (const Received& each : late.received()) EXPECT_TRUE(each.retained);
  EXPECT_TRUE(late.payloads(cells_topic).empty());
}

// More frames than libmosquitto's and the kernel's buffers hold, by far, go through a link that is fast
// enough.
TEST_F(MqttPublisherTest, LongStreamsPass) {
  Broker broker;
  broker.start();
  const Listener listener(broker.port);
  MqttPublisher publisher(settings_for(broker.port));
  const std::string large(20'000, 'x');
  for (std::size_t i = 1; i <= 1000; ++i) {
    publisher.add_frame(large + std::to_string(i));
    ASSERT_TRUE(comes_true([&] { return listener.count() + 20 >= i; }));
  }
  publisher.stop();
  EXPECT_TRUE(listener.hears(cells_topic, large + "1000"));
  EXPECT_EQ(listener.payloads(cells_topic).size(), 1000U);
}

// Played by the test below.
TEST(MqttChild, DISABLED_PublishesUntilItIsKilled) {
  const char* port = std::getenv("SMEARSCOPE_TEST_PORT");
  ASSERT_NE(port, nullptr);
  MqttPublisher publisher(settings_for(std::atoi(port)));
  publisher.set_tally("1");
  std::this_thread::sleep_for(testing::patience);
}

// Nobody can say "offline" for a process that was killed but the broker.
TEST_F(MqttPublisherTest, TheBrokerTellsOfAProcessThatDied) {
  Broker broker;
  broker.start();
  const Listener listener(broker.port);
  Process child;
  child.start({"/proc/self/exe", "--gtest_also_run_disabled_tests", "--gtest_filter=MqttChild.*"},
              "SMEARSCOPE_TEST_PORT=" + std::to_string(broker.port));
  ASSERT_TRUE(listener.hears(status_topic, "online"));
  ASSERT_TRUE(listener.hears(tally_topic, "1"));
  child.kill();
  EXPECT_TRUE(listener.hears(status_topic, "offline"));
}

// A device boots before its network: one warning, and when the broker comes it gets the newest tally and the
// newest frames. Meanwhile nothing waits.
TEST_F(MqttPublisherTest, ABrokerThatComesLaterGetsTheNewest) {
  Broker broker;
  MqttPublisher publisher(settings_for(broker.port));
  const auto start = std::chrono::steady_clock::now();
  for (int i = 1; i <= 10'000; ++i) {
    publisher.set_tally(std::to_string(i));
    publisher.add_frame(std::to_string(i));
  }
  EXPECT_LT(seconds_since(start), 10);
  EXPECT_EQ(publisher.frames_dropped(), 10'000U - 64U);
  EXPECT_EQ(
      warnings_of(publisher, 1),
      std::vector<std::string>{"Can't publish to mqtt://127.0.0.1:" + std::to_string(broker.port) +
                               ": Connection refused. The stream goes on, and the broker is tried again."});
  std::this_thread::sleep_for(std::chrono::seconds(2));  // it has been tried again by then
  EXPECT_TRUE(publisher.take_warnings().empty()) << "one for each outage";
  broker.start();
  const Listener listener(broker.port);
  EXPECT_TRUE(listener.hears(tally_topic, "10000"));
  EXPECT_TRUE(listener.hears(status_topic, "online"));
  publisher.stop();
  EXPECT_EQ(listener.payloads(tally_topic).size(), 1U);
  EXPECT_EQ(publisher.frames_dropped(), 10'000U - 64U);
}

// Large frames don't fill the memory while they wait.
TEST_F(MqttPublisherTest, FourMebibytesWait) {
  MqttPublisher publisher(settings_for(testing::free_port()));
  for (int i = 0; i < 20; ++i) publisher.add_frame(std::string(1 << 20, 'x'));
  EXPECT_EQ(publisher.frames_dropped(), 16U);
}

// A broker that restarts has forgotten the tally, and gets it again, though it has not changed. The next
// outage is one of its own.
TEST_F(MqttPublisherTest, ABrokerThatRestartsGetsTheTallyAgain) {
  Broker broker;
  broker.start();
  MqttPublisher publisher(settings_for(broker.port));
  publisher.set_tally("1");
  EXPECT_TRUE(Listener(broker.port).hears(tally_topic, "1"));
  for (int outage = 0; outage < 2; ++outage) {
    broker.kill();
    const std::vector<std::string> warnings = warnings_of(publisher, 1);
    ASSERT_EQ(warnings.size(), 1U);
    EXPECT_NE(warnings[0].find("the connection was lost"), std::string::npos) << warnings[0];
    broker.start();
    const Listener listener(broker.port);
    EXPECT_TRUE(listener.hears(tally_topic, "1"));
    EXPECT_TRUE(listener.hears(status_topic, "online"));
    EXPECT_TRUE(publisher.take_warnings().empty());
  }
}

// The broker is back, but its next try is some seconds off when the stream ends: it is tried at once.
TEST_F(MqttPublisherTest, TheEndIsToldWithALastTry) {
  Broker broker;
  MqttPublisher publisher(settings_for(broker.port));
  EXPECT_EQ(warnings_of(publisher, 1).size(), 1U);
  std::this_thread::sleep_for(std::chrono::seconds(4));  // tries after 1 and 3 seconds: the next is after 7
  broker.start();
  publisher.set_tally("last");
  publisher.add_frame("last");
  publisher.stop();
  const Listener listener(broker.port);
  EXPECT_TRUE(listener.hears(tally_topic, "last"));
  EXPECT_TRUE(listener.hears(status_topic, "offline"));
  EXPECT_TRUE(publisher.take_warnings().empty());
}

// Without a broker the end is not delayed, and says what is missing.
TEST_F(MqttPublisherTest, WhatNeverArrivedIsTold) {
  MqttPublisher publisher(settings_for(testing::free_port()));
  EXPECT_EQ(warnings_of(publisher, 1).size(), 1U);
  publisher.set_tally("1");
  publisher.add_frame("frame");
  publisher.stop();
  const std::vector<std::string> warnings = publisher.take_warnings();
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_NE(warnings[0].find("the last counts are missing, and 1 frames were dropped"), std::string::npos)
      << warnings[0];
  publisher.set_tally("2");
  publisher.add_frame("frame");
  publisher.stop();
  EXPECT_TRUE(publisher.take_warnings().empty()) << "stopped already";
}

// libmosquitto would ignore the signal for the whole process.
TEST_F(MqttPublisherTest, SigpipeStaysTheApplications) {
  Broker broker;
  broker.start();
  const auto before = std::signal(SIGPIPE, SIG_DFL);
  MqttPublisher publisher(settings_for(broker.port));
  publisher.set_tally("1");
  EXPECT_TRUE(Listener(broker.port).hears(tally_topic, "1"));
  std::signal(SIGPIPE, SIG_DFL);  // after the listener's client
  broker.kill();
  for (int i = 0; i < 100; ++i) publisher.add_frame(std::string(100'000, 'x'));
  EXPECT_EQ(warnings_of(publisher, 1).size(), 1U);
  broker.start();
  comes_true([&] { return publisher.frames_dropped() > 0; });
  publisher.stop();
  EXPECT_EQ(std::signal(SIGPIPE, before), SIG_DFL);
}

}  // namespace
}  // namespace smearscope
