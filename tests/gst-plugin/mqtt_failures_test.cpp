// MqttPublisher at brokers that refuse, are not trusted, are slow, or say nothing.
#include "mqtt_broker.h"
#include "report/mqtt_publisher.h"

namespace smearscope {
namespace {

using testing::Broker;
using testing::comes_true;
using testing::Listener;
using testing::seconds_since;
using testing::shell;
using testing::Socket;
using testing::TemporaryFolder;

constexpr const char* password = "kein Wort davon";

MqttSettings settings_for(int port) {
  MqttSettings settings;
  settings.broker.host = "127.0.0.1";
  settings.broker.port = port;
  settings.topic = "t";
  return settings;
}

std::string warning_of(MqttPublisher& publisher) {
  std::vector<std::string> warnings;
  EXPECT_TRUE(comes_true([&] { return !(warnings = publisher.take_warnings()).empty(); }));
  return warnings.empty() ? "" : warnings.front();
}

#define EXPECT_SAYS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

class MqttUsers : public ::testing::Test {
 protected:
  void SetUp() override {
    SKIP_WITHOUT_BROKER();
    const std::string file = folder_.file("users");
    if (!shell("mosquitto_passwd -b -c " + file + " me '" + password + "' && chmod 644 " + file))
      GTEST_SKIP() << "no mosquitto_passwd";
    broker_ = std::make_unique<Broker>("allow_anonymous false\npassword_file " + file + "\n");
    broker_->start();
  }
  MqttSettings settings(const std::string& user, const std::string& word) const {
    MqttSettings settings = settings_for(broker_->port);
    settings.broker.user = user;
    settings.password = word;
    return settings;
  }
  TemporaryFolder folder_;
  std::unique_ptr<Broker> broker_;
};

TEST_F(MqttUsers, TheRightPasswordLetsUsIn) {
  const Listener listener(broker_->port, "me", password);
  MqttPublisher publisher(settings("me", password));
  publisher.set_tally("1");
  EXPECT_TRUE(listener.hears("t/tally", "1"));
}

// A warning names the cause and not the password; it comes once, and the stream goes on.
TEST_F(MqttUsers, AWrongPasswordIsAWarning) {
  MqttPublisher publisher(settings("me", "wrong word"));
  const std::string warning = warning_of(publisher);
  EXPECT_SAYS(warning, "does not accept this user with this password. The stream goes on");
  EXPECT_EQ(warning.find("wrong word"), std::string::npos);
  std::this_thread::sleep_for(std::chrono::seconds(2));
  EXPECT_TRUE(publisher.take_warnings().empty());
}

TEST_F(MqttUsers, NoUserIsAWarning) {
  MqttPublisher publisher(settings("", ""));
  EXPECT_SAYS(warning_of(publisher), "accepts nobody without a user");
}

// The network came first, and only then it turns out that the password is wrong: that is worth a second line.
TEST_F(MqttUsers, AnOutageThatTurnsIntoARefusalIsToldAgain) {
  broker_->kill();
  MqttPublisher publisher(settings("me", "wrong word"));
  EXPECT_SAYS(warning_of(publisher), "Connection refused");
  broker_->start();
  EXPECT_SAYS(warning_of(publisher), "does not accept this user");
}

class MqttTls : public ::testing::Test {
 protected:
  void SetUp() override {
    SKIP_WITHOUT_BROKER();
    const std::string make =
        "cd " + folder_.path() + " && openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost" +
        " -addext subjectAltName=DNS:localhost -keyout key.pem -out certificate.pem && chmod 644 key.pem";
    if (!shell(make)) GTEST_SKIP() << "no openssl (package openssl)";
    broker_ = std::make_unique<Broker>("allow_anonymous true\ncertfile " + folder_.file("certificate.pem") +
                                       "\nkeyfile " + folder_.file("key.pem") + "\n");
    broker_->start();
  }
  MqttSettings settings(const std::string& host, const std::string& ca_file) const {
    MqttSettings settings = settings_for(broker_->port);
    settings.broker.tls = true;
    settings.broker.host = host;
    settings.ca_file = ca_file;
    return settings;
  }
  TemporaryFolder folder_;
  std::unique_ptr<Broker> broker_;
};

// What was published through TLS is there for the next one: the status arrives when stop() comes back without
// a warning.
TEST_F(MqttTls, ATrustedBrokerIsPublishedTo) {
  MqttPublisher publisher(settings("localhost", folder_.file("certificate.pem")));
  publisher.set_tally("1");
  publisher.add_frame(std::string(1'000'000, 'x'));
  publisher.stop();
  EXPECT_EQ(publisher.take_warnings(), std::vector<std::string>());
}

TEST_F(MqttTls, ACertificateThatNobodyVouchesForIsAWarning) {
  MqttPublisher publisher(settings("localhost", ""));
  EXPECT_SAYS(warning_of(publisher), "TLS: certificate verify failed. The stream goes on");
}

TEST_F(MqttTls, ACertificateOfAnotherHostIsAWarning) {
  MqttPublisher publisher(settings("127.0.0.1", folder_.file("certificate.pem")));
  EXPECT_SAYS(warning_of(publisher), "TLS: host name verification failed. The stream goes on");
}

TEST_F(MqttTls, ABrokerWithoutTlsIsAWarning) {
  Broker plain;
  plain.start();
  MqttSettings wrong = settings("localhost", folder_.file("certificate.pem"));
  wrong.broker.port = plain.port;
  MqttPublisher publisher(wrong);
  EXPECT_SAYS(warning_of(publisher), "Can't publish to mqtts://localhost:");
}

// Lets one client in and acknowledges its first message, the status; then it reads nothing more.
class SlowBroker {
 public:
  SlowBroker() {
    listen(socket_.descriptor(), 8);
    thread_ = std::thread([this] {
      client_ = accept4(socket_.descriptor(), nullptr, nullptr, SOCK_CLOEXEC);
      const std::string welcome("\x20\x02\x00\x00", 4), acknowledgement("\x40\x02\x00\x01", 4);
      let_in_ = answers(welcome) && answers(acknowledgement);
    });
  }
  ~SlowBroker() {
    shutdown(socket_.descriptor(), SHUT_RDWR);
    thread_.join();
    if (client_ >= 0) close(client_);
  }
  SlowBroker(const SlowBroker&) = delete;
  SlowBroker& operator=(const SlowBroker&) = delete;
  int port() const { return socket_.port(); }
  bool let_in() const { return let_in_; }

 private:
  bool answers(const std::string& answer) const {
    char packet[1024];
    return read(client_, packet, sizeof packet) > 0 && write(client_, answer.data(), answer.size()) > 0;
  }

  Socket socket_;
  int client_ = -1;
  std::atomic<bool> let_in_{false};
  std::thread thread_;
};

void expect_prompt_stop(MqttPublisher& publisher) {
  const auto start = std::chrono::steady_clock::now();
  publisher.stop();
  EXPECT_LT(seconds_since(start), 10);
}

// What a link can't carry is dropped and counted; the stream and its end do not wait for it.
TEST(MqttLinkTrouble, ASlowBrokerDelaysNothing) {
  SlowBroker broker;
  MqttPublisher publisher(settings_for(broker.port()));
  ASSERT_TRUE(comes_true([&] { return broker.let_in(); }));
  double longest_s = 0;
  for (int i = 0; i < 400; ++i) {
    const auto start = std::chrono::steady_clock::now();
    publisher.add_frame(std::string(256 * 1024, 'x'));
    longest_s = std::max(longest_s, seconds_since(start));
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // time enough for a thread that just takes it
  }
  EXPECT_LT(longest_s, 5);
  EXPECT_GT(publisher.frames_dropped(), 300U) << "somewhere 100 MB wait";
  const std::uint64_t dropped = publisher.frames_dropped();
  publisher.set_tally("1");
  expect_prompt_stop(publisher);
  EXPECT_SAYS(warning_of(publisher), "the last counts are missing, and ");
  EXPECT_GT(publisher.frames_dropped(), dropped) << "those that still waited as well";
}

// Who connects gets no answer: stopping does not wait for one.
TEST(MqttLinkTrouble, ASilentBrokerDelaysNothing) {
  Socket silent;
  listen(silent.descriptor(), 8);
  MqttPublisher publisher(settings_for(silent.port()));
  publisher.set_tally("1");
  EXPECT_SAYS(warning_of(publisher), "it does not answer");
  expect_prompt_stop(publisher);
}

// A host that does not even answer that a port is closed: connecting takes minutes, and can't be interrupted.
TEST(MqttLinkTrouble, AConnectionThatHangsDelaysNothing) {
  Socket full;
  listen(full.descriptor(), 0);
  std::vector<std::unique_ptr<Socket>>
      others;  // as many as the system queues; what comes after them is ignored
  for (int i = 0; i < 4; ++i) {
    others.push_back(std::make_unique<Socket>());
    fcntl(others.back()->descriptor(), F_SETFL, O_NONBLOCK);
    others.back()->connect_to(full.port());
  }
  MqttPublisher publisher(settings_for(full.port()));
  publisher.set_tally("1");
  std::this_thread::sleep_for(std::chrono::seconds(1));
  EXPECT_TRUE(publisher.take_warnings().empty()) << "it does not hang";
  expect_prompt_stop(publisher);
  EXPECT_SAYS(warning_of(publisher), "the last counts are missing");
}

}  // namespace
}  // namespace smearscope
