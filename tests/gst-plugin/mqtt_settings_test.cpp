// What a user may write as a broker, a topic, a password file.
#include "report/mqtt_settings.h"

#include <gtest/gtest.h>

#include <fstream>

#include "temporary_folder.h"

namespace smearscope {
namespace {

using testing::TemporaryFolder;

std::string error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(MqttBrokerUrl, NamesSchemeUserHostAndPort) {
  const struct {
    const char *url, *user, *host;
    int port;
    bool tls;
    const char* address;
  } brokers[] = {
      {"mqtt://broker", "", "broker", 1883, false, "mqtt://broker:1883"},
      {"mqtts://broker", "", "broker", 8883, true, "mqtts://broker:8883"},
      {"mqtt://broker.lab-2.example:1", "", "broker.lab-2.example", 1, false,
       "mqtt://broker.lab-2.example:1"},
      {"mqtts://micro_1@10.0.0.7:65535", "micro_1", "10.0.0.7", 65535, true, "mqtts://10.0.0.7:65535"},
      {"mqtt://[::1]", "", "::1", 1883, false, "mqtt://[::1]:1883"},
      {"mqtt://me@[fe80::1.2.3.4]:1884", "me", "fe80::1.2.3.4", 1884, false, "mqtt://[fe80::1.2.3.4]:1884"},
      {"mqtt://a%40b%C3%A4%3a%25@h", "a@b\xC3\xA4:%", "h", 1883, false, "mqtt://h:1883"},
  };
  for (const auto& expected : brokers) {
    SCOPED_TRACE(expected.url);
    const MqttBroker broker = parse_mqtt_broker(expected.url);
    EXPECT_EQ(broker.user, expected.user);
    EXPECT_EQ(broker.host, expected.host);
    EXPECT_EQ(broker.port, expected.port);
    EXPECT_EQ(broker.tls, expected.tls);
    EXPECT_EQ(broker.address(), expected.address);
  }
}

// One line that names the property; what the URL says may be secret.
TEST(MqttBrokerUrl, AnythingElseIsRefused) {
  for (const char* url : {"",
                          "broker",
                          "broker:1883",
                          "mqtt:",
                          "mqtt://",
                          "mqtt:/broker",
                          "MQTT://broker",
                          "tcp://broker",
                          "mqtt+tls://broker",
                          "http://broker",
                          " mqtt://broker",
                          "mqtt://broker ",
                          "mqtt://bro ker",
                          "mqtt://broker/",
                          "mqtt://broker/topic",
                          "mqtt://broker:1883/topic",
                          "mqtt://broker?x=1",
                          "mqtt://broker#x",
                          "mqtt://broker:",
                          "mqtt://broker:0",
                          "mqtt://broker:65536",
                          "mqtt://broker:-1",
                          "mqtt://broker:+1",
                          "mqtt://broker:18x",
                          "mqtt://broker:99999999999999999999",
                          "mqtt://:1883",
                          "mqtt://@broker",
                          "mqtt://me@",
                          "mqtt://me@:1883",
                          "mqtt://[::1",
                          "mqtt://[]",
                          "mqtt://[::1]x",
                          "mqtt://[::1]1883",
                          "mqtt://::1",
                          "mqtt://[broker]",
                          "mqtt://a b@broker",
                          "mqtt://a@b@broker",
                          "mqtt://a%4@broker",
                          "mqtt://a%4g@broker",
                          "mqtt://a%00@broker",
                          "mqtt://a%0a@broker",
                          "mqtt://a%ff@broker",
                          "mqtt://bröker",
                          "mqtt://broker\n"}) {
    const std::string error = error_of([&] { parse_mqtt_broker(url); });
    EXPECT_EQ(error.rfind("mqtt-broker: ", 0), 0U) << url << ": " << error;
    EXPECT_EQ(error.find('\n'), std::string::npos) << url;
  }
  EXPECT_NE(error_of([] { parse_mqtt_broker("mqtt://" + std::string(254, 'h')); }), "");
}

TEST(MqttBrokerUrl, APasswordInItIsRefusedAndNotRepeated) {
  for (const char* url : {"mqtt://me:geheim@broker", "mqtt://me:geheim@broker:0", "mqtt://:geheim@broker",
                          "mqtt://me:geheim@x@broker", "tcp://me:geheim@broker", "mqtt://me:geheim"}) {
    const std::string error = error_of([&] { parse_mqtt_broker(url); });
    EXPECT_NE(error, "") << url;
    EXPECT_EQ(error.find("geheim"), std::string::npos) << error;
  }
  EXPECT_NE(error_of([] { parse_mqtt_broker("mqtt://me:geheim@broker"); }).find("mqtt-password-file"),
            std::string::npos);
}

TEST(MqttTopic, HasLevelsThatAnyBrokerTakes) {
  for (const std::string topic : {"smearscope", "lab/room 2/microscope-7", "a/$b", "l\xC3\xA4", "x"}) {
    EXPECT_EQ(error_of([&] { check_mqtt_topic(topic); }), "") << topic;
  }
  EXPECT_EQ(error_of([&] { check_mqtt_topic(std::string(255, 't')); }), "");
  for (const std::string topic :
       {"", "/", "/a", "a/", "a//b", "a/+/b", "+", "a#", "a/#", "$SYS", "$SYS/a", "a\nb", "a\x7f", "a\xff"}) {
    const std::string error = error_of([&] { check_mqtt_topic(topic); });
    EXPECT_EQ(error.rfind("mqtt-topic: ", 0), 0U) << topic << ": " << error;
  }
  EXPECT_NE(error_of([&] { check_mqtt_topic(std::string(256, 't')); }), "");
}

class MqttSettingsTest : public ::testing::Test {
 protected:
  MqttOptions options(const std::string& broker) const {
    MqttOptions options;
    options.broker = broker;
    return options;
  }
  std::string file(const std::string& bytes) const {
    std::ofstream(folder_.file("file"), std::ios::binary) << bytes;
    return folder_.file("file");
  }
  TemporaryFolder folder_;
};

// What an editor leaves at the end of the line is none of it.
TEST_F(MqttSettingsTest, ThePasswordIsTheFirstLine) {
  for (const std::string bytes : {"a b\xC3\xA4", "a b\xC3\xA4\n", "a b\xC3\xA4\r\n", "a b\xC3\xA4\nmore\n"}) {
    MqttOptions with = options("mqtt://me@broker");
    with.password_file = file(bytes);
    EXPECT_EQ(read_mqtt_settings(with).password, "a b\xC3\xA4");
  }
}

TEST_F(MqttSettingsTest, APasswordFileThatIsNoneIsRefused) {
  MqttOptions with = options("mqtt://me@broker");
  for (const std::string& bytes : {std::string(), std::string("\n"), std::string("a\0b", 3),
                                   std::string(65536, 'x'), std::string("\nx")}) {
    with.password_file = file(bytes);
    EXPECT_NE(error_of([&] { read_mqtt_settings(with); }).find(with.password_file), std::string::npos);
  }
  for (const std::string& path : {folder_.file("none"), folder_.path()}) {
    with.password_file = path;
    EXPECT_NE(error_of([&] { read_mqtt_settings(with); }).find(path + ": cannot be read"), std::string::npos);
  }
}

TEST_F(MqttSettingsTest, CertificatesMustBeThereAndOfUse) {
  MqttOptions with = options("mqtts://broker");
  with.ca_file = file("-----BEGIN CERTIFICATE-----\n");
  EXPECT_EQ(read_mqtt_settings(with).ca_file, with.ca_file);
  with.broker = "mqtt://broker";
  EXPECT_NE(error_of([&] { read_mqtt_settings(with); }).find("mqtts://"), std::string::npos);
  with.broker = "mqtts://broker";
  with.ca_file = file("no certificate");
  EXPECT_NE(error_of([&] { read_mqtt_settings(with); }).find("no certificate"), std::string::npos);
  with.ca_file = folder_.file("none");
  EXPECT_NE(error_of([&] { read_mqtt_settings(with); }).find("cannot be read"), std::string::npos);
}

TEST_F(MqttSettingsTest, WhatNeedsSomethingElseSaysSo) {
  MqttOptions with = options("mqtt://broker");
  with.password_file = file("secret");
  EXPECT_NE(error_of([&] { read_mqtt_settings(with); }).find("without a user"), std::string::npos);
  EXPECT_NE(error_of([&] { read_mqtt_settings(options("")); }).find("not set"), std::string::npos);
}

}  // namespace
}  // namespace smearscope
