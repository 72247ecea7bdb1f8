#include <gtest/gtest.h>

#include "expect_error.h"
#include "smearscope/detector.h"

namespace smearscope {
namespace {

TEST(DeviceNames, ReadAndWriteTheSame) {
  for (const char* text : {"cpu", "cuda:0", "cuda:15", "auto"})
    EXPECT_EQ(Device::parse(text).to_string(), text);
  EXPECT_EQ(Device::parse("cuda").to_string(), "cuda:0");
}

TEST(DeviceNames, OthersAreRefused) {
  for (const char* text :
       {"", "gpu", "CPU", "cuda:", "cuda:-1", "cuda:x", "cuda:1x", "cuda: 1", "cuda:99999999999", "cpu:0"})
    testing::expect_error([&] { Device::parse(text); }, "\"" + std::string(text) + "\"");
}

TEST(PrecisionNames, ReadAndWriteTheSame) {
  for (const char* text : {"f32", "f16", "bf16", "int8", "auto"})
    EXPECT_STREQ(name_of(parse_precision(text)), text);
  testing::expect_error([] { parse_precision("fp32"); }, "\"fp32\"");
}

}  // namespace
}  // namespace smearscope
