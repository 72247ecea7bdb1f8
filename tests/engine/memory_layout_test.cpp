#include "network/memory_layout.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "random_numbers.h"

namespace smearscope::network {
namespace {

TEST(LayOut, BuffersThatLiveTogetherDoNotOverlap) {
  testing::Random random(1);
  for (int round = 0; round < 100; ++round) {
    std::vector<Lifetime> buffers;
    for (int i = random.integer(0, 60); i > 0; --i) {
      const int first = random.integer(0, 40);
      buffers.push_back(
          {static_cast<std::size_t>(random.integer(0, 5000)), first, first + random.integer(0, 9)});
    }
    const std::size_t total = lay_out(buffers);
    for (const Lifetime& a : buffers) {
      EXPECT_EQ(a.offset % 64, 0U);
      EXPECT_LE(a.offset + a.bytes, total);
      for (const Lifetime& b : buffers) {
        if (&a == &b || a.last < b.first || b.last < a.first) continue;
        EXPECT_TRUE(a.offset + a.bytes <= b.offset || b.offset + b.bytes <= a.offset);
      }
    }
  }
}

TEST(LayOut, ReusesWhatIsNoLongerAlive) {
  std::vector<Lifetime> chain;
  for (int i = 0; i < 10; ++i) chain.push_back({640, i, i + 1});
  EXPECT_EQ(lay_out(chain), 2U * 640);
}

}  // namespace
}  // namespace smearscope::network
