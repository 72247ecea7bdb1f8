#include "loop/event_file.h"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <sstream>

#include "temporary_folder.h"

namespace smearscope::training {
namespace {

TEST(EventFile, ChecksumIsThatOfTheStandard) {
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);  // RFC 3720, B.4
  EXPECT_EQ(crc32c(""), 0U);
}

TEST(EventFile, RecordsCarryLengthChecksumsNameStepAndValue) {
  const testing::TemporaryFolder folder;
  EventFile events(folder.path());
  events.add("train/loss", 0.75, 300);
  std::ifstream in(events.path(), std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  const std::string bytes = text.str();
  std::vector<std::string> records;
  for (std::size_t at = 0; at < bytes.size();) {
    std::uint64_t length = 0;
    std::uint32_t crc = 0;
    std::memcpy(&length, bytes.data() + at, 8);
    records.push_back(bytes.substr(at + 12, length));
    std::memcpy(&crc, bytes.data() + at + 12 + length, 4);
    const std::uint32_t expected = crc32c(records.back());
    EXPECT_EQ(crc, (expected >> 15U | expected << 17U) + 0xA282EAD8U);
    at += 16 + length;
  }
  ASSERT_EQ(records.size(), 2U);
  EXPECT_NE(records[0].find("brain.Event:2"), std::string::npos);
  // step: field 2, varint 300; value: field 2 of Value, 0.75f
  EXPECT_NE(records[1].find(std::string("\x10\xAC\x02", 3)), std::string::npos);
  EXPECT_NE(records[1].find("\x0A\x0Atrain/loss" + std::string("\x15\x00\x00\x40\x3F", 5)),
            std::string::npos);
}

TEST(EventFile, AFolderThatIsNotThereIsAnError) {
  EXPECT_THROW(EventFile("/nowhere"), Error);
}

}  // namespace
}  // namespace smearscope::training
